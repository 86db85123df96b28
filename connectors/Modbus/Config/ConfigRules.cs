using System.ComponentModel.DataAnnotations;
using System.Globalization;
using IotGateway.Connectors.Modbus.Addresses;
using IotGateway.Connectors.Modbus.Protocol;
using IotGateway.Connectors.Modbus.Values;
using IotGateway.Sdk.Config;

namespace IotGateway.Connectors.Modbus.Config;

/// <summary>
/// The rules across options. Pure; every error at once, each naming what it is about and what to do. That names are unique and that
/// a tag to read back exists the runtime checks, for all connectors.
/// </summary>
internal static class ConfigRules
{
    /// <summary>What a tag can know of itself, in a template too.</summary>
    public static IEnumerable<ValidationResult> Check(TagConfig tag)
    {
        // A number below the first address of one-based notation is found with the devices; here only the syntax counts.
        if (!TagAddress.TryParse(tag.Address, false, out var address, out var error))
        {
            yield return new(error, [nameof(tag.Address)]);
            yield break;
        }
        var type = tag.TypeAt(address);
        if (type != RegisterType.Bool && (address.Area.IsBits() || address.Bit is not null))
            yield return new($"'{tag.Address}' is a single bit, so its type is bool.", [nameof(tag.Type)]);
        var octets = type is RegisterType.String or RegisterType.Bytes;
        if (octets && tag.Length is null) yield return new($"A tag of type {type.Word()} needs a length.", [nameof(tag.Length)]);
        if (!octets && tag.Length is not null) yield return new($"Only string and bytes have a length, and the tag is of type {type.Word()}.", [nameof(tag.Length)]);
        if ((tag.Scale ?? tag.Offset) is not null && !type.IsInteger() && !type.IsFloat())
            yield return new($"Only numbers can be scaled, and the tag is of type {type.Word()}.", [tag.Scale is null ? nameof(tag.Offset) : nameof(tag.Scale)]);
        if (tag.Scale == 0) yield return new("A scale of 0 makes every value the same; leave it out or write another.", [nameof(tag.Scale)]);
        if (tag.Order is { } order && OrderError(order, type) is { } orderError) yield return new(orderError, [nameof(tag.Order)]);
        if (tag.Write is not null && !address.Area.IsWritable())
            yield return new($"'{tag.Address}' is read-only in Modbus; writable are coil and holding.", [nameof(tag.Write)]);
        foreach (var bad in EnumErrors(tag, type)) yield return bad;
    }

    /// <summary>What only the whole configuration shows.</summary>
    public static IEnumerable<ValidationResult> Check(ModbusConfig config)
    {
        foreach (var address in EndpointErrors(config.Endpoint)) yield return new(address, [nameof(config.Endpoint)]);
        for (var i = 0; i < config.Devices.Count; i++)
            foreach (var (member, error) in DeviceErrors(config, config.Devices[i]))
                yield return new(error, [$"{nameof(config.Devices)}[{i}].{member}"]);
    }

    /// <summary>All tags of a device: the template's, then its own; an own tag replaces the template's of the same name.</summary>
    public static IEnumerable<TagConfig> TagsOf(ModbusConfig config, DeviceConfig device)
    {
        var own = device.Tags.Select(t => t.Name).ToHashSet();
        var shared = device.Template is { } name && config.Templates.TryGetValue(name, out var template) ? template.Tags : [];
        return shared.Where(t => !own.Contains(t.Name)).Concat(device.Tags);
    }

    static IEnumerable<(string Member, string Error)> DeviceErrors(ModbusConfig config, DeviceConfig device)
    {
        if (device.Endpoint is null && config.Endpoint is null)
            yield return (nameof(device.Endpoint), "There is no endpoint; give the device or the connector one, such as tcp://192.168.0.10:502.");
        foreach (var error in EndpointErrors(device.Endpoint)) yield return (nameof(device.Endpoint), error);
        if (device.UnitId == 0 && device.Broadcast is null)
            yield return (nameof(device.UnitId), "Unit 0 is Modbus' broadcast, which no device answers; for that write \"broadcast\": true, or \"broadcast\": false if the device itself answers to 0.");
        if (device.UnitId != 0 && device.Broadcast == true) yield return (nameof(device.Broadcast), $"Only unit 0 is broadcast, not {device.UnitId}.");
        if (device.Template is { } template && !config.Templates.ContainsKey(template))
            yield return (nameof(device.Template), $"There is no template '{template}'; {(config.Templates.Count == 0 ? "write one under templates" : "there are: " + string.Join(", ", config.Templates.Keys))}.");
        foreach (var tag in TagsOf(config, device))
            foreach (var error in TagErrors(config, device, tag))
                yield return (nameof(device.Tags), $"Tag '{tag.Name}' of device '{device.Name}': {error}");
    }

    static IEnumerable<string> TagErrors(ModbusConfig config, DeviceConfig device, TagConfig tag)
    {
        if (!TagAddress.TryParse(tag.Address, false, out _, out _)) yield break;
        if (!TagAddress.TryParse(tag.Address, config.Addressing == Addressing.One, out var address, out var error)) yield return error;
        else if (address.Offset + device.Offset is var first && (first < 0 || first + tag.TypeAt(address).Registers(tag.Length ?? 0) > Limits.Addresses))
            yield return $"with the device's offset of {device.Offset} it is outside of the addresses 0 to 65535.";
        if (device.Broadcast == true && tag.Write is null) yield return "by broadcast it can not be read; give it a write rule or leave it out.";
    }

    static IEnumerable<string> EndpointErrors(Endpoints? endpoints)
        => (endpoints ?? new()).Where(e => !EndpointAddress.TryParse(e, out _)).Select(e => $"'{e}' is no endpoint; write tcp://host:port, such as tcp://192.168.0.10:502.");

    static string? OrderError(string order, RegisterType type)
    {
        var letters = type is RegisterType.String or RegisterType.Bytes ? 2 : type.Registers(0) * 2;
        if (!ByteOrder.TryParse(order, out _) || order.Length == letters) return null;
        var right = letters switch { 2 => "AB or BA", 4 => "ABCD, CDAB, BADC or DCBA", _ => "ABCDEFGH, GHEFCDAB, BADCFEHG or HGFEDCBA" };
        return $"'{order}' has {order.Length} letters; for {type.Word()} write {right}.";
    }

    static IEnumerable<ValidationResult> EnumErrors(TagConfig tag, RegisterType type)
    {
        if (tag.Enum is null) yield break;
        if (!type.IsInteger() || tag.Scale is not null || tag.Offset is not null)
            yield return new("Only unscaled integers can be enumerations.", [nameof(tag.Enum)]);
        foreach (var key in tag.Enum.Keys.Where(k => !long.TryParse(k, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _)))
            yield return new($"'{key}' is no whole number; write {{ \"3\": \"Running\" }}.", [nameof(tag.Enum)]);
    }
}
