using IotGateway.Connectors.Modbus;
using IotGateway.Connectors.Modbus.Config;
using IotGateway.Connectors.Modbus.Values;
using IotGateway.Sdk.Config;
using IotGateway.Sdk.Data;

namespace Modbus.Tests.Config;

public sealed class ConfigRulesTests
{
    static readonly TagConfig Good = new() { Name = "x", Address = "holding:1" };

    static string[] Errors(TagConfig tag) => [.. tag.Validate(new(tag)).Select(e => e.ErrorMessage!)];

    static (string Member, string Error)[] Errors(ModbusConfig config) => [.. config.Validate(new(config)).Select(e => (e.MemberNames.Single(), e.ErrorMessage!))];

    static ModbusConfig Config(params DeviceConfig[] devices) => new() { Endpoint = new("tcp://127.0.0.1"), Devices = devices };

    public static TheoryData<TagConfig, string> BadTags() => new()
    {
        { Good with { Address = "holding" }, "is no address" },
        { Good with { Address = "coil:1", Type = RegisterType.UInt16 }, "its type is bool" },
        { Good with { Address = "holding:1.2", Type = RegisterType.Int32 }, "its type is bool" },
        { Good with { Type = RegisterType.String }, "needs a length" },
        { Good with { Length = 4 }, "Only string and bytes have a length" },
        { Good with { Address = "coil:1", Scale = 0.1m }, "Only numbers can be scaled" },
        { Good with { Scale = 0 }, "makes every value the same" },
        { Good with { Type = RegisterType.Float32, Order = "AB" }, "ABCD, CDAB, BADC or DCBA" },
        { Good with { Order = "ABCD" }, "AB or BA" },
        { Good with { Address = "input:1", Write = new() }, "read-only in Modbus" },
        { Good with { Enum = new Dictionary<string, string> { ["three"] = "Running" } }, "'three' is no whole number" },
        { Good with { Scale = 2, Enum = new Dictionary<string, string> { ["3"] = "Running" } }, "unscaled integers" },
    };

    [Theory, MemberData(nameof(BadTags))]
    public void A_bad_tag_is_told_what_would_be_right(TagConfig tag, string part) => Assert.Contains(part, Assert.Single(Errors(tag)), StringComparison.Ordinal);

    [Fact]
    public void A_good_tag_has_no_errors() => Assert.Empty(Errors(Good with { Type = RegisterType.Float32, Order = "CDAB", Scale = 0.1m, Write = new() }));

    public static TheoryData<DeviceConfig, string, string> BadDevices() => new()
    {
        { new() { Name = "d", UnitId = 0 }, "Devices[0].UnitId", "\"broadcast\": true" },
        { new() { Name = "d", Broadcast = true }, "Devices[0].Broadcast", "only unit 0" },
        { new() { Name = "d", Template = "none" }, "Devices[0].Template", "There is no template 'none'" },
        { new() { Name = "d", Endpoint = new("http://x") }, "Devices[0].Endpoint", "is no endpoint" },
        { new() { Name = "d", Offset = -2, Tags = [Good] }, "Devices[0].Tags", "outside of the addresses" },
        { new() { Name = "d", Offset = 65534, Tags = [Good with { Type = RegisterType.Float32 }] }, "Devices[0].Tags", "outside of the addresses" },
        { new() { Name = "d", UnitId = 0, Broadcast = true, Tags = [Good] }, "Devices[0].Tags", "can not be read" },
    };

    [Theory, MemberData(nameof(BadDevices))]
    public void A_bad_device_is_found_by_path(DeviceConfig device, string path, string part)
    {
        var (member, error) = Assert.Single(Errors(Config(device)));
        Assert.Equal(path, member);
        Assert.Contains(part, error, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void A_device_without_any_endpoint_is_an_error()
        => Assert.Equal("Devices[0].Endpoint", Assert.Single(Errors(Config(new DeviceConfig { Name = "d" }) with { Endpoint = null })).Member);

    [Fact]
    public void One_based_addresses_begin_at_one()
        => Assert.Contains("1 to 65536", Assert.Single(Errors(Config(new DeviceConfig { Name = "d", Tags = [Good with { Address = "holding:0" }] }) with { Addressing = Addressing.One })).Error, StringComparison.Ordinal);

    [Fact]
    public void Tags_are_listed_in_engineering_units_and_own_tags_replace_the_templates()
    {
        var config = Config(
            new DeviceConfig { Name = "a", Template = "press", Tags = [Good with { Name = "speed", Type = RegisterType.Float32, Unit = "m/s" }] },
            new DeviceConfig { Name = "b", Template = "press" },
            new DeviceConfig { Name = "off", Template = "press", Enabled = false }) with
        {
            Templates = new Dictionary<string, TemplateConfig>
            {
                ["press"] = new() { Tags = [Good with { Name = "speed", Scale = 0.1m }, Good with { Name = "off", Enabled = false }, Good with { Name = "on", Address = "coil:1", Write = new() { Max = 1 } }] },
            },
        };
        Assert.Equal(
            [("a", "on", DataType.Bool, null), ("a", "speed", DataType.Float32, "m/s"), ("b", "speed", DataType.Decimal, null), ("b", "on", DataType.Bool, null)],
            new ModbusFactory().Tags(config).Select(t => (t.Device, t.Name, t.Type, t.Unit)));
        Assert.Equal(1, new ModbusFactory().Tags(config).First(t => t.Name == "on").Write!.Max);
    }

    [Fact]
    public void Work_is_split_by_endpoint_and_never_finer()
    {
        var config = Config([.. Enumerable.Range(0, 20).Select(i => new DeviceConfig { Name = "d" + i, UnitId = i + 1, Endpoint = new($"tcp://10.0.0.{i % 5}:502") })]);
        var factory = new ModbusFactory();
        Assert.Equal("", Assert.Single(factory.Split(config, 1)).Key);
        var parts = factory.Split(config, 8);
        Assert.Equal(Enumerable.Range(0, 5).Select(i => $"10.0.0.{i}:502"), parts.Select(p => p.Key));
        foreach (var some in (IReadOnlyList<IReadOnlyList<IotGateway.Sdk.Part<ModbusConfig>>>)[parts, factory.Split(config, 2)])
        {
            Assert.Equal(20, some.Sum(p => p.Config.Devices.Count));
            Assert.Equal(5, some.Sum(p => p.Config.Devices.Select(d => d.Endpoint!.ToString()).Distinct().Count()));
        }
        // A device more at a known endpoint changes no key.
        Assert.Equal(parts.Select(p => p.Key), factory.Split(config with { Devices = [.. config.Devices, config.Devices[0] with { Name = "new" }] }, 8).Select(p => p.Key));
    }
}
