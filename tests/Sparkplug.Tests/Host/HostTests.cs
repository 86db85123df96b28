using System.Diagnostics.Metrics;
using System.Text;
using System.Text.Json;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Connectors.Sparkplug;
using IotGateway.Connectors.Sparkplug.Config;
using IotGateway.Connectors.Sparkplug.Wire;
using IotGateway.Sdk;
using IotGateway.Sdk.Commands;
using IotGateway.Sdk.Config;
using IotGateway.Sdk.Data;
using IotGateway.Sdk.Health;
using IotGateway.Testing;
using IotGateway.Tests.Mqtt.Brokers;
using IotGateway.Tests.Sparkplug.Support;

namespace IotGateway.Tests.Sparkplug.Host;

/// <summary>STATE, rebirth requests and browsing over a real broker, with edge nodes that do what the test says.</summary>
public sealed class HostTests
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    static SparkplugConfig Config(Mosquitto broker) => new() { Endpoint = new Endpoints(broker.Address), ClientId = "gw", HostId = "host", OfflineAfter = TimeSpan.FromSeconds(1) };

    static SourceDriver Driver(SparkplugConfig config, DurableStore store, out FakeContext context)
        => new((ISource)new SparkplugFactory().Create(config, context = new FakeContext(store)), store);

    static async Task<(bool Online, long Timestamp)> StateAsync(ScriptedEdge edge)
    {
        while (true)
        {
            var (topic, payload) = await edge.NextAsync();
            if (topic != "spBv1.0/STATE/host") continue;
            using var json = JsonDocument.Parse(payload);
            return (json.RootElement.GetProperty("online").GetBoolean(), json.RootElement.GetProperty("timestamp").GetInt64());
        }
    }

    [Fact]
    public async Task STATE_says_online_and_offline_with_one_timestamp_and_the_next_connection_has_a_later_one()
    {
        await using var broker = await Mosquitto.StartAsync();
        await using var edge = await ScriptedEdge.ConnectAsync(broker.Address, host: "host");
        var store = new DurableStore();
        var first = await Driver(Config(broker), store, out _).StartAsync();
        var (online, timestamp) = await StateAsync(edge);
        Assert.True(online);
        Assert.InRange(timestamp, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() - 60_000, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());
        await first.CloseAsync();
        Assert.Equal((false, timestamp), await StateAsync(edge));

        // A clock set back must not make edge nodes ignore us.
        store.State["timestamp"] = Encoding.UTF8.GetBytes("99999999999999");
        var second = await Driver(Config(broker), store, out _).StartAsync();
        var next = await StateAsync(edge);
        if (next == (false, timestamp)) next = await StateAsync(edge); // the will says it again where the broker lost the goodbye
        Assert.Equal((true, 100_000_000_000_000), next);
        await second.KillAsync();
        Assert.Equal((false, 100_000_000_000_000), await StateAsync(edge)); // the will

        await using var late = await ScriptedEdge.ConnectAsync(broker.Address, edge: "late", host: "host");
        Assert.Equal((false, 100_000_000_000_000), await StateAsync(late)); // retained
    }

    [Fact]
    public async Task For_edge_nodes_before_version_three_STATE_is_a_word_outside_the_namespace()
    {
        await using var broker = await Mosquitto.StartAsync();
        await using var edge = await ScriptedEdge.ConnectAsync(broker.Address, host: "host");
        async Task SawAsync(string word)
        {
            var (topic, payload) = await edge.NextAsync();
            Assert.Equal(("STATE/host", word), (topic, Encoding.UTF8.GetString(payload.Span)));
        }
        var config = Config(broker) with { StateFormat = "2.2" };
        var first = await Driver(config, new(), out _).StartAsync();
        await SawAsync("ONLINE");
        await edge.RawAsync("STATE/host", "OFFLINE"u8.ToArray(), retain: true); // a late will
        await SawAsync("OFFLINE");
        await SawAsync("ONLINE");
        await first.KillAsync();
        await SawAsync("OFFLINE"); // the will
        var second = await Driver(config, new(), out _).StartAsync();
        await SawAsync("ONLINE");
        await using var late = await ScriptedEdge.ConnectAsync(broker.Address, edge: "late", host: "host");
        Assert.Equal("ONLINE", Encoding.UTF8.GetString((await late.NextAsync()).Payload.Span)); // retained
        await second.CloseAsync();
        await SawAsync("OFFLINE");
    }

    [Fact]
    public async Task A_late_will_of_an_earlier_connection_is_contradicted()
    {
        await using var broker = await Mosquitto.StartAsync();
        await using var edge = await ScriptedEdge.ConnectAsync(broker.Address, host: "host");
        await using var run = await Driver(Config(broker), new(), out var context).StartAsync();
        var (_, timestamp) = await StateAsync(edge);
        await edge.RawAsync("spBv1.0/STATE/host", """{"online":false,"timestamp":1}"""u8.ToArray(), retain: true);
        Assert.Equal((false, 1), await StateAsync(edge));
        Assert.Equal((true, timestamp), await StateAsync(edge));
        await edge.RawAsync("spBv1.0/STATE/host", """{"online":true,"timestamp":7}"""u8.ToArray());
        Assert.Equal((true, 7), await StateAsync(edge));
        await Eventually(() => context.Log.Entries.Any(e => e.Text.Contains("another host application", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task STATE_is_offline_while_the_log_takes_nothing_and_online_again_after()
    {
        await using var broker = await Mosquitto.StartAsync();
        await using var edge = await ScriptedEdge.ConnectAsync(broker.Address, host: "host");
        await using var run = await Driver(Config(broker), new(), out var context).StartAsync();
        var (_, timestamp) = await StateAsync(edge);
        context.Accepting = false;
        Assert.Equal((false, timestamp), await StateAsync(edge));
        Assert.Contains(context.Reports, r => r is { Tag: "STATE", State: PartState.Degraded });
        context.Accepting = true;
        Assert.Equal((true, timestamp), await StateAsync(edge));
        Assert.Contains(context.Reports, r => r is { Tag: "STATE", State: PartState.Ok });
    }

    [Fact]
    public async Task STATE_is_offline_while_the_disk_does_not_keep_up()
    {
        await using var broker = await Mosquitto.StartAsync();
        await using var edge = await ScriptedEdge.ConnectAsync(broker.Address, host: "host");
        var store = new DurableStore();
        var disk = new TaskCompletionSource();
        await using var run = Driver(Config(broker), store, out _);
        run.Gate = _ => disk.Task;
        await run.StartAsync();
        Assert.True((await StateAsync(edge)).Online);
        await edge.BirthAsync(1, Metrics.Int("n", 0, alias: 1));
        Assert.False((await StateAsync(edge)).Online);
        disk.SetResult();
        Assert.True((await StateAsync(edge)).Online);
        await run.UntilAsync(s => s.Readings.Count == 1);
    }

    [Fact]
    public async Task A_gap_leads_to_a_rebirth_request_and_the_birth_closes_it()
    {
        await using var broker = await Mosquitto.StartAsync();
        var store = new DurableStore();
        await using var run = await Driver(Config(broker) with { ReorderTimeout = TimeSpan.FromMilliseconds(200) }, store, out _).StartAsync();
        await using var edge = await ScriptedEdge.ConnectAsync(broker.Address);
        await edge.BirthAsync(1, Metrics.Int("n", 0, alias: 1));
        await edge.SendAsync("DBIRTH", "d", Metrics.Double("temperature", 20.5, alias: 2).With("engUnit", MetricType.String, p => p.StringValue = "°C"));
        edge.Seq++;
        await edge.SendAsync("NDATA", null, Metrics.Alias(1, 2));
        var (topic, metric) = await edge.CommandAsync();
        Assert.Equal(("spBv1.0/g/NCMD/e", "Node Control/Rebirth", true), (topic, metric.Name, metric.BooleanValue));
        await edge.BirthAsync(1, Metrics.Int("n", 3, alias: 1));
        await run.UntilAsync(s => s.Gaps.Count == 2);
        Assert.Equal(("g.e", "sequence-gap", 1), (store.Gaps[1].Device, store.Gaps[1].Reason, store.Gaps[1].Lost));
        var temperature = store.Readings.First(r => r.Tag.Name == "temperature");
        Assert.Equal(("g.e.d", "°C", 20.5), (temperature.Tag.Device, temperature.Tag.Unit, temperature.Value.AsDouble));
        await edge.DisposeAsync();
        await run.UntilAsync(s => s.Last["g.e/n"].Status == "sparkplug:ndeath" && s.Last["g.e.d/temperature"].Quality == Quality.Bad);
    }

    [Fact]
    public async Task A_command_waits_for_the_rebirth_because_its_alias_may_mean_another_metric()
    {
        await using var broker = await Mosquitto.StartAsync();
        var store = new DurableStore();
        await using var run = await Driver(Config(broker) with { ReorderTimeout = TimeSpan.FromMilliseconds(100) }, store, out _).StartAsync();
        await using var edge = await ScriptedEdge.ConnectAsync(broker.Address);
        await edge.BirthAsync(1, Metrics.Int("n", 0, alias: 1), Metrics.Int("m", 0, alias: 2));
        edge.Seq++;
        await edge.SendAsync("NDATA", null, Metrics.Alias(1, 2));
        Assert.Equal("Node Control/Rebirth", (await edge.CommandAsync()).Metric.Name);
        var executing = ((ICommandTarget)run.Source).ExecuteAsync(new() { Id = "c", Device = "g.e", Tag = "n", Value = Value.Of(9), Deadline = TimeProvider.System.GetUtcNow().AddSeconds(30) }, new OpenGate(), Ct).AsTask();
        await edge.BirthAsync(1, Metrics.Int("n", 0, alias: 2), Metrics.Int("m", 0, alias: 1));
        var (topic, metric) = await edge.CommandAsync();
        Assert.Equal(("spBv1.0/g/NCMD/e", 2UL, 9U), (topic, metric.Alias, metric.IntValue));
        await edge.SendAsync("NDATA", null, Metrics.Alias(2, 9));
        Assert.Equal(CommandResultKind.Done, (await executing).Kind);
    }

    [Fact]
    public async Task The_next_instance_asks_edge_nodes_it_knows_for_their_births()
    {
        await using var broker = await Mosquitto.StartAsync();
        var store = new DurableStore();
        await using var edge = await ScriptedEdge.ConnectAsync(broker.Address);
        var first = await Driver(Config(broker), store, out _).StartAsync();
        await edge.BirthAsync(1, Metrics.Int("n", 0, alias: 1));
        await first.UntilAsync(s => s.Readings.Count == 1);
        await first.KillAsync();
        await using var second = await Driver(Config(broker), store, out _).StartAsync();
        Assert.Equal("Node Control/Rebirth", (await edge.CommandAsync()).Metric.Name);
    }

    [Fact]
    public async Task Browsing_shows_edge_nodes_devices_and_metrics()
    {
        await using var broker = await Mosquitto.StartAsync();
        var store = new DurableStore();
        await using var run = await Driver(Config(broker), store, out _).StartAsync();
        await using var edge = await ScriptedEdge.ConnectAsync(broker.Address);
        await edge.BirthAsync(1, Metrics.Int("n", 0, alias: 1));
        await edge.SendAsync("DBIRTH", "d", Metrics.Double("temperature", 20.5).With("engUnit", MetricType.String, p => p.StringValue = "°C"));
        await run.UntilAsync(s => s.Readings.Count == 2);
        Assert.Equal(["g/e|g.e|edge node, online, 1 devices, 2 metrics"], await BrowseAsync(run.Source, null));
        Assert.Equal(["g/e/d|g.e.d|device, online, 1 metrics", "g.e/Node Control/Rebirth|Node Control/Rebirth|Boolean", "g.e/n|n|Int32, alias 1"], await BrowseAsync(run.Source, "g/e"));
        Assert.Equal(["g.e.d/temperature|temperature|Double, °C"], await BrowseAsync(run.Source, "g/e/d"));
        await Assert.ThrowsAsync<ArgumentException>(() => BrowseAsync(run.Source, "g/x"));
    }

    [Fact]
    public async Task A_probe_looks_and_says_nothing()
    {
        await using var broker = await Mosquitto.StartAsync();
        await using var edge = await ScriptedEdge.ConnectAsync(broker.Address, host: "host");
        var store = new DurableStore();
        await using (var probe = (ISource)new SparkplugFactory().Create(Config(broker), new FakeContext(store)))
        {
            await probe.OpenAsync(OpenMode.Probe, Ct);
            var browsing = BrowseAsync(probe, null);
            await edge.SendAsync("NDATA", null, Metrics.Alias(1, 1));
            Assert.Equal(["g/e|g.e|edge node, no birth seen, 0 devices, 0 metrics"], await browsing);
            await probe.CloseAsync(CloseReason.Stop, Ct);
        }
        await Assert.ThrowsAsync<OperationCanceledException>(() => edge.NextAsync(seconds: 1)); // neither STATE nor a rebirth request
        Assert.Empty(store.State);
    }

    [Fact]
    public async Task An_edge_node_stores_while_its_primary_host_is_offline_and_sends_its_history_after()
    {
        await using var broker = await Mosquitto.StartAsync();
        await using var watcher = await ScriptedEdge.ConnectAsync(broker.Address, edge: "watcher", host: "host");
        var store = new DurableStore();
        await using var run = await Driver(Config(broker), store, out var context).StartAsync();
        Assert.True((await StateAsync(watcher)).Online);
        var edge = await ScriptedEdge.ConnectAsync(broker.Address, bdSeq: 1);
        await edge.BirthAsync(1, Metrics.Int("n", 1, alias: 1));
        await run.UntilAsync(s => s.Readings.Count == 1);

        // As a primary host asks (§5.4): offline, so it says goodbye and stores; online, so it is born and sends what it stored.
        context.Accepting = false;
        Assert.False((await StateAsync(watcher)).Online);
        await edge.DisposeAsync();
        await run.UntilAsync(s => s.Last["g.e/n"].Status == "sparkplug:ndeath");
        context.Accepting = true;
        Assert.True((await StateAsync(watcher)).Online);
        await using var again = await ScriptedEdge.ConnectAsync(broker.Address, bdSeq: 2);
        await again.BirthAsync(2, Metrics.Int("n", 9, alias: 1));
        var stored = Metrics.Alias(1, 5);
        (stored.IsHistorical, stored.Timestamp) = (true, 1_790_000_000_000);
        await again.SendAsync("NDATA", null, stored, Metrics.Alias(1, 10));
        await run.UntilAsync(s => s.Readings.Count == 5);
        Assert.Equal(["g.e/n=1", "g.e/n=!sparkplug:ndeath", "g.e/n=9", "g.e/n=5", "g.e/n=10"], PlantUnderTest.Text(store.Readings));
        Assert.Equal([false, false, false, true, false], store.Readings.Select(r => r.Backfill));
        Assert.Empty(store.Gaps);
    }

    [Fact]
    public async Task What_has_no_room_is_dropped_and_counted_and_its_edge_node_is_born_anew()
    {
        await using var broker = await Mosquitto.StartAsync();
        var store = new DurableStore();
        var disk = new TaskCompletionSource();
        await using var run = Driver(Config(broker) with { MaxInFlight = new(64 << 10), MaxPacketSize = new(16 << 10) }, store, out _);
        run.Gate = _ => disk.Task;
        await run.StartAsync();
        await using var edge = await ScriptedEdge.ConnectAsync(broker.Address, host: "host");
        await edge.BirthAsync(1, Metrics.Int("n", -1, alias: 1));
        for (var i = 0; i < 3_000; i++) await edge.SendAsync("NDATA", null, Metrics.Alias(1, i));
        await StateUntilAsync(edge, online: false);
        disk.SetResult();
        await run.UntilAsync(s => s.Gaps.Any(g => g.Reason == "overflow"));
        while ((await edge.NextAsync()).Topic != "spBv1.0/g/NCMD/e") { }
        await edge.BirthAsync(1, Metrics.Int("n", 5_000, alias: 1));
        await run.UntilAsync(s => s.Last["g.e/n"].Value.AsInt64 == 5_000);
        var gap = store.Gaps.Last(g => g.To is not null);
        Assert.Equal(3_000, gap.Lost + store.Readings.Count(r => r.Value.AsInt64 is >= 0 and < 5_000));
        await StateUntilAsync(edge, online: true);
    }

    [Fact]
    public async Task A_broker_that_forbids_what_a_host_needs_is_told_by_name()
    {
        await using var broker = new FakeBroker();
        var host = (ISource)new SparkplugFactory().Create(new() { Endpoint = new Endpoints(broker.Address), HostId = "host", Version = "5.0" }, new FakeContext(new()));
        var opening = host.OpenAsync(OpenMode.Run, Ct).AsTask();
        var connection = await broker.AcceptAsync();
        await connection.WelcomeAsync();
        Assert.True(connection.Connect.CleanStart);
        Assert.Equal(("spBv1.0/STATE/host", true, 1), (connection.Connect.Will!.Topic, connection.Connect.Will.Retain, connection.Connect.Will.Qos));
        await connection.GrantAsync(ReasonCode.NotAuthorized);
        Assert.Contains("spBv1.0/STATE/host", (await Assert.ThrowsAsync<PermanentException>(() => opening)).Message, StringComparison.Ordinal);
        await host.DisposeAsync();

        var other = (ISource)new SparkplugFactory().Create(new() { Endpoint = new Endpoints(broker.Address), HostId = "host", Version = "5.0" }, new FakeContext(new()));
        opening = other.OpenAsync(OpenMode.Run, Ct).AsTask();
        await (await broker.AcceptAsync()).WelcomeAsync(properties: new PropertiesBuilder().Number(PropertyId.RetainAvailable, 0).Build());
        Assert.Contains("retained", (await Assert.ThrowsAsync<PermanentException>(() => opening)).Message, StringComparison.Ordinal);
        await other.DisposeAsync();
    }

    [Fact]
    public async Task Connection_edge_nodes_gaps_and_rebirths_are_measured()
    {
        List<(string Name, long Value)> seen = [];
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter.Name == SparkplugMetrics.MeterName) l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            foreach (var tag in tags)
                if (tag.Key == "connector" && tag.Value is "measured")
                    lock (seen) seen.Add((instrument.Name, value));
        });
        listener.Start();
        await using var broker = await Mosquitto.StartAsync();
        var store = new DurableStore();
        await using var run = await new SourceDriver((ISource)new SparkplugFactory().Create(Config(broker), new FakeContext(store, "measured")), store).StartAsync();
        await using var edge = await ScriptedEdge.ConnectAsync(broker.Address);
        await edge.BirthAsync(1, Metrics.Int("n", 1, alias: 1));
        await edge.SendAsync("NDATA", null, Metrics.Alias(9, 1));
        await edge.CommandAsync();
        await Eventually(() =>
        {
            lock (seen) return seen.Contains(("gaps", 1)) && seen.Contains(("lost", 1)) && seen.Contains(("rebirths", 1));
        });
        listener.RecordObservableInstruments();
        Assert.Superset(new HashSet<(string, long)> { ("connected", 1), ("host_online", 1), ("edges_online", 1), ("edges_offline", 0) }, seen.ToHashSet());
        await run.CloseAsync();
        lock (seen) seen.Clear();
        listener.RecordObservableInstruments();
        Assert.All(seen, s => Assert.Equal(0, s.Value));
        Assert.Equal(4, seen.Count);
    }

    static async Task StateUntilAsync(ScriptedEdge edge, bool online)
    {
        while ((await StateAsync(edge)).Online != online) { }
    }

    sealed class OpenGate : ISendGate
    {
        public ValueTask<bool> EnterAsync() => new(true);
    }

    static async Task<string[]> BrowseAsync(ISource source, string? parent)
    {
        List<string> nodes = [];
        await foreach (var node in ((IBrowsable)source).BrowseAsync(parent, Ct)) nodes.Add($"{node.Id}|{node.Name}|{node.Detail}");
        return [.. nodes];
    }

    static async Task Eventually(Func<bool> condition)
    {
        for (var i = 0; i < 200 && !condition(); i++) await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Ct);
        Assert.True(condition());
    }
}
