using System.Globalization;
using IotGateway.Connectors.Modbus.Addresses;
using IotGateway.Connectors.Modbus.Client;
using IotGateway.Connectors.Modbus.Config;
using IotGateway.Connectors.Modbus.Planning;
using IotGateway.Connectors.Modbus.Protocol;
using IotGateway.Connectors.Modbus.Values;
using IotGateway.Sdk;
using IotGateway.Sdk.Config;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Modbus.Model;

/// <summary>The configuration, built: endpoints, devices, tags, and where each tag is. Immutable.</summary>
internal sealed class ModbusModel
{
    readonly Dictionary<Tag, (EndpointModel Endpoint, TagPoint Point)> _points = [];

    /// <summary>Builds it; tags above the gateway's limit are left out, as the context counts them.</summary>
    public ModbusModel(ModbusConfig config, ConnectorContext context)
    {
        Config = config;
        Endpoints = [.. config.Devices.Where(d => d.Enabled)
            .GroupBy(d => EndpointKey(config, d))
            .Select(g => new EndpointModel(Settings(config, g.First()), [.. g.Select(d => Build(d, context))]))];
        foreach (var endpoint in Endpoints)
            foreach (var point in endpoint.Devices.SelectMany(d => d.Points))
                _points.Add(point.Tag, (endpoint, point));
    }

    /// <summary>What it was built from.</summary>
    public ModbusConfig Config { get; }

    /// <summary>Endpoints with enabled devices.</summary>
    public IReadOnlyList<EndpointModel> Endpoints { get; }

    /// <summary>Finds a tag; false when the configuration has none such, or it is switched off.</summary>
    public bool TryFind(Tag tag, out EndpointModel endpoint, out TagPoint point)
    {
        var found = _points.TryGetValue(tag, out var at);
        (endpoint, point) = at;
        return found;
    }

    /// <summary>Names the endpoint of a device, for grouping.</summary>
    public static string EndpointKey(ModbusConfig config, DeviceConfig device) => string.Join(",", Addresses(config, device));

    /// <summary>The enabled tags of a configuration, without building it.</summary>
    public static IEnumerable<TagDefinition> Definitions(ModbusConfig config)
        => from device in config.Devices where device.Enabled
           from tag in ConfigRules.TagsOf(config, device) where tag.Enabled
           select new TagDefinition(device.Name, tag.Name, Conversion(config, device, tag, Address(config, tag)).Result, tag.Unit, tag.Write);

    static IReadOnlyList<EndpointAddress> Addresses(ModbusConfig config, DeviceConfig device)
        => [.. (device.Endpoint ?? config.Endpoint ?? new Endpoints()).Select(text => EndpointAddress.TryParse(text, out var a) ? a : throw new PermanentException($"'{text}' is no endpoint; write tcp://host:port."))];

    static BusSettings Settings(ModbusConfig config, DeviceConfig device)
        => new(Addresses(config, device), config.ConnectTimeout, config.Reconnect, config.MaxInFlight);

    DeviceModel Build(DeviceConfig config, ConnectorContext context)
    {
        var device = new DeviceModel(config.Name, (byte)config.UnitId, config.Broadcast == true, config.MultipleWrites);
        device.Points = [.. ConfigRules.TagsOf(Config, config).Where(t => t.Enabled).Select(t => Build(config, device, t, context)).OfType<TagPoint>()];
        return device;
    }

    TagPoint? Build(DeviceConfig deviceConfig, DeviceModel device, TagConfig config, ConnectorContext context)
    {
        var address = Address(Config, config);
        var conversion = Conversion(Config, deviceConfig, config, address);
        var tag = context.Tag(device.Name, config.Name, conversion.Result, config.Unit);
        return tag is null ? null : new TagPoint
        {
            Tag = tag,
            Device = device,
            Area = address.Area,
            Span = new(address.Offset + deviceConfig.Offset, address.Area.IsBits() ? 1 : conversion.Registers),
            Conversion = conversion,
            Every = config.Every ?? deviceConfig.Every ?? Config.Every,
            Deadband = config.Deadband,
            IsWritable = config.Write is not null,
        };
    }

    static TagAddress Address(ModbusConfig config, TagConfig tag)
        => TagAddress.TryParse(tag.Address, config.Addressing == Addressing.One, out var address, out var error) ? address : throw new PermanentException(error);

    static Conversion Conversion(ModbusConfig config, DeviceConfig device, TagConfig tag, TagAddress address) => new()
    {
        Type = tag.TypeAt(address),
        Order = ByteOrder.TryParse(tag.Order ?? device.Order ?? config.Order, out var order) ? order : ByteOrder.Abcd,
        Length = tag.Length ?? 0,
        Bit = address.Bit,
        Scaling = tag.Scale is null && tag.Offset is null ? null : new(tag.Scale ?? 1, tag.Offset ?? 0),
        Labels = tag.Enum?.ToDictionary(e => long.Parse(e.Key, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture), e => e.Value),
    };
}
