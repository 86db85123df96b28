using IotGateway.Connectors.Sparkplug;
using IotGateway.Connectors.Sparkplug.Config;
using IotGateway.Sdk;
using IotGateway.Sdk.Commands;
using IotGateway.Sdk.Config;
using IotGateway.Sdk.Data;
using IotGateway.Testing;
using IotGateway.Tests.Mqtt.Brokers;
using IotGateway.Tests.Sparkplug.Support;
using static IotGateway.Tests.Sparkplug.Support.PlantUnderTest;

namespace IotGateway.Tests.Sparkplug.Host;

/// <summary>An independent edge node (npm's sparkplug-client) behind mosquitto: is born, sends, loses a message, is rebirthed, obeys, dies.</summary>
public sealed class TahuTests
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    static SparkplugConfig Config(Mosquitto broker) => new()
    {
        Endpoint = new Endpoints(broker.Address), ClientId = "gw", HostId = "host", ReorderTimeout = TimeSpan.FromMilliseconds(300), CommandTimeout = TimeSpan.FromSeconds(3), Device = "${device}",
        Devices = [new() { Name = "press1", Tags = [new() { Name = "Outputs/Setpoint", Type = DataType.Int32, Write = new() { Max = 100 } }, new() { Name = "Outputs/Counter", Type = DataType.Int64, Write = new() }] },
            new() { Name = "press-shop.gateway1", Tags = [new() { Name = "Node Control/Rebirth", Type = DataType.Bool, Write = new() }] }],
    };

    static Task<SourceDriver> StartAsync(Mosquitto broker, DurableStore store)
        => new SourceDriver((ISource)new SparkplugFactory().Create(Config(broker), new FakeContext(store)), store).StartAsync();

    [Fact]
    public async Task Births_give_readings_of_all_types()
    {
        await using var broker = await Mosquitto.StartAsync();
        var store = new DurableStore();
        await using var run = await StartAsync(broker, store);
        await using var edge = await TahuEdge.StartAsync(broker.Port);
        await run.UntilAsync(s => s.Last.ContainsKey("press1/Outputs/Counter"), 60, "the births");
        Assert.Empty(store.Records);
        Assert.Empty(store.Gaps);
        Assert.Equal(
            [
                "press-shop.gateway1/boolean=true", "press-shop.gateway1/bytes=AQL/", "press-shop.gateway1/double=-2.25", "press-shop.gateway1/float=1.5", "press-shop.gateway1/int16=-30000",
                "press-shop.gateway1/int64=-5", "press-shop.gateway1/int8=-10",
                "press-shop.gateway1/motor={template: Motor, version: 1, parameters: {maker: acme}, metrics: {rpm: -3}}", "press-shop.gateway1/n=0", "press-shop.gateway1/nothing=!sparkplug:null",
                "press-shop.gateway1/set={columns: [name, ok], types: [String, Boolean], rows: [[a, true], [b, false]]}", "press-shop.gateway1/stale=!sparkplug:stale", "press-shop.gateway1/string=täxt",
                "press-shop.gateway1/text=long", "press-shop.gateway1/time=2023-11-14T22:13:20.1230000Z", "press-shop.gateway1/uint16=65000", "press-shop.gateway1/uint32=4294967295",
                "press-shop.gateway1/uint64=9007199254740991", "press-shop.gateway1/uint8=250", "press-shop.gateway1/uptime=86400", "press-shop.gateway1/uuid=5e0f37f8-5d84-44a5-8d36-8a4d8e1f1bd8",
                "press1/Inputs/Temperature=20.5", "press1/Outputs/Counter=7", "press1/Outputs/Setpoint=10",
            ], Text(store.Readings).Order(StringComparer.Ordinal));
        Assert.Equal(("°C", DataType.Float32), (store.Last["press1/Inputs/Temperature"].Tag.Unit, store.Last["press1/Inputs/Temperature"].Value.Type));
        Assert.All(store.Readings, r => Assert.NotEqual(DateTime.MinValue, r.SourceTime));
    }

    [Fact]
    public async Task A_lost_message_is_a_gap_that_its_rebirth_closes_and_a_death_makes_stale()
    {
        await using var broker = await Mosquitto.StartAsync();
        var store = new DurableStore();
        await using var run = await StartAsync(broker, store);
        var edge = await TahuEdge.StartAsync(broker.Port);
        await edge.SawAsync("born");
        for (var n = 1; n <= 300; n++) await edge.DoAsync(new { @do = "data", n }); // the numbers go round
        await run.UntilAsync(s => s.Last.TryGetValue("press-shop.gateway1/n", out var last) && last.Value.AsInt64 == 300, 60);
        Assert.Empty(store.Gaps);

        await edge.DoAsync(new { @do = "lose" });
        await edge.DoAsync(new { @do = "device", value = 21.5 });
        Assert.Equal("rebirth", (await edge.SawAsync("born")).GetProperty("why").GetString());
        await run.UntilAsync(s => s.Gaps.Count == 2);
        Assert.Equal(("press-shop.gateway1", "sequence-gap", 1), (store.Gaps[1].Device, store.Gaps[1].Reason, store.Gaps[1].Lost));
        Assert.Contains("press1/Inputs/Temperature=21.5!sparkplug:sequence-gap", Text(store.Readings));
        await run.UntilAsync(s => s.Last["press1/Inputs/Temperature"] is { Quality: Quality.Good } last && last.Value.AsDouble == 21.5);

        await edge.DoAsync(new { @do = "deviceDeath" });
        await run.UntilAsync(s => s.Last["press1/Outputs/Setpoint"].Status == "sparkplug:ddeath");
        Assert.Equal(Quality.Good, store.Last["press-shop.gateway1/n"].Quality);
        await edge.DisposeAsync();
        await run.UntilAsync(s => s.Last["press-shop.gateway1/n"].Status == "sparkplug:ndeath");

        await using var again = await TahuEdge.StartAsync(broker.Port);
        await run.UntilAsync(s => s.Last["press1/Outputs/Setpoint"].Quality == Quality.Good && s.Last["press-shop.gateway1/n"].Quality == Quality.Good, 60);
        await again.DoAsync(new { @do = "stop" });
        await run.UntilAsync(s => s.Last["press-shop.gateway1/n"].Status == "sparkplug:ndeath");
        Assert.Equal(2, store.Gaps.Count);
    }

    [Fact]
    public async Task A_command_is_done_when_the_edge_node_reports_its_value()
    {
        await using var broker = await Mosquitto.StartAsync();
        var store = new DurableStore();
        await using var run = await StartAsync(broker, store);
        var target = (ICommandTarget)run.Source;
        var early = await target.ExecuteAsync(Set("press1", "Outputs/Setpoint", Value.Of(1)), new Gate(), Ct);
        Assert.Equal((CommandResultKind.Failed, "sparkplug:not-there"), (early.Kind, early.Code));

        await using var edge = await TahuEdge.StartAsync(broker.Port);
        await run.UntilAsync(s => s.Last.ContainsKey("press1/Outputs/Counter"), 60);
        var done = await target.ExecuteAsync(Set("press1", "Outputs/Setpoint", Value.Of(-55)), new Gate(), Ct);
        Assert.Equal((CommandResultKind.Done, "sparkplug:reported"), (done.Kind, done.Code));
        var command = await edge.SawAsync("command");
        Assert.Equal(("press1", "[null]", "[-55]"), (command.GetProperty("device").GetString(), command.GetProperty("names").ToString(), command.GetProperty("values").ToString())); // by alias alone
        Assert.Equal(CommandResultKind.Done, (await target.ExecuteAsync(Set("press1", "Outputs/Counter", Value.Of(4_000_000_000L)), new Gate(), Ct)).Kind);
        await run.UntilAsync(s => s.Last["press1/Outputs/Counter"].Value == Value.Of(4_000_000_000u) && s.Last["press1/Outputs/Setpoint"].Value == Value.Of(-55));
        Assert.Equal(CommandResultKind.Done, (await target.ExecuteAsync(Set("press-shop.gateway1", "Node Control/Rebirth", Value.Of(true)), new Gate(), Ct)).Kind);

        var gate = new Gate();
        Assert.Equal("sparkplug:type", (await target.ExecuteAsync(Set("press1", "Outputs/Setpoint", Value.Of(1.5)), gate, Ct)).Code);
        Assert.Equal(CommandResultKind.Failed, (await target.ExecuteAsync(Set("press1", "Outputs/None", Value.Of(1)), gate, Ct)).Kind);
        Assert.Equal(0, gate.Asked);
        Assert.Equal(CommandResultKind.NotSent, (await target.ExecuteAsync(Set("press1", "Outputs/Setpoint", Value.Of(9)), new Gate(open: false), Ct)).Kind);

        await edge.DoAsync(new { @do = "deaf" });
        var unknown = await target.ExecuteAsync(Set("press1", "Outputs/Setpoint", Value.Of(7)), new Gate(), Ct);
        Assert.Equal(CommandResultKind.Unknown, unknown.Kind);
        Assert.Contains("reported no value", unknown.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_it_compresses_is_read_like_the_rest()
    {
        await using var broker = await Mosquitto.StartAsync();
        var store = new DurableStore();
        await using var run = await StartAsync(broker, store);
        await using var edge = await TahuEdge.StartAsync(broker.Port);
        await run.UntilAsync(s => s.Last.ContainsKey("press1/Outputs/Counter"), 60, "the births");
        await edge.DoAsync(new { @do = "data", n = 1, compress = "GZIP" });
        await edge.DoAsync(new { @do = "data", n = 2, compress = "DEFLATE" });
        await edge.DoAsync(new { @do = "data", n = 3 });
        await run.UntilAsync(s => s.Last["press-shop.gateway1/n"].Value == Value.Of(3));
        Assert.Equal(["0", "1", "2", "3"], store.Readings.Where(r => r.Tag.ToString() == "press-shop.gateway1/n").Select(r => r.Value.ToString()));
        Assert.Empty(store.Records);
        Assert.Empty(store.Gaps);
    }

    static Command Set(string device, string tag, Value value) => new() { Id = "c1", Device = device, Tag = tag, Value = value, Deadline = TimeProvider.System.GetUtcNow().AddSeconds(30) };

    sealed class Gate(bool open = true) : ISendGate
    {
        public int Asked { get; private set; }

        public ValueTask<bool> EnterAsync()
        {
            Asked++;
            return new(open);
        }
    }
}
