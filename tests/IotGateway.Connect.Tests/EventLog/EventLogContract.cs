using System.Text;
using IotGateway.Connect.Configs;
using IotGateway.Connect.EventLog;
using IotGateway.Log;
using IotGateway.Sdk.Data;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Connect.Tests.EventLog;

/// <summary>What the runtime relies on, whatever the event log is.</summary>
public abstract class EventLogContract : IAsyncDisposable
{
    /// <summary>The log, opened; topics have two partitions.</summary>
    protected abstract ValueTask<IEventLog> OpenAsync();

    /// <summary>The same data in a log opened anew.</summary>
    protected abstract ValueTask<IEventLog> ReopenAsync();

    public abstract ValueTask DisposeAsync();

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    static void Add(EventUnit unit, string topic, string? key, string? value, params (string Name, string? Value)[] headers)
    {
        unit.Begin(topic, 1_700_000_000_000);
        if (key is not null) unit.Key(Encoding.UTF8.GetBytes(key));
        foreach (var (name, text) in headers) unit.Header(name, text is null ? (ReadOnlyMemory<byte>?)null : Encoding.UTF8.GetBytes(text));
        if (value is not null) unit.Value(Encoding.UTF8.GetBytes(value));
        unit.End();
    }

    static async Task<List<SinkRecord>> ReadAsync(IEventReader reader, int count)
    {
        var records = new List<SinkRecord>();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        limit.CancelAfter(TimeSpan.FromSeconds(10));
        while (records.Count < count) records.AddRange(await reader.ReadAsync(count - records.Count, 1 << 20, limit.Token));
        return records;
    }

    static string? Text(ReadOnlyMemory<byte>? bytes) => bytes is { } b ? Encoding.UTF8.GetString(b.Span) : null;

    [Fact]
    public async Task Records_come_back_as_they_were_written()
    {
        var log = await OpenAsync();
        var unit = new EventUnit();
        Add(unit, "a", "k", "v", ("h", "1"), ("h", null));
        Add(unit, "b", null, "keyless");
        Add(unit, "c", "k", null);
        Add(unit, "d", "", "");
        await log.CommitAsync(unit, Ct);
        await using var reader = log.Read("c1", _ => true, fromEnd: false);
        var records = (await ReadAsync(reader, 4)).ToDictionary(r => r.Topic);
        Assert.Equal(("k", "v", 0L, 1_700_000_000_000), (Text(records["a"].Key), Text(records["a"].Value), records["a"].Offset, records["a"].Timestamp));
        Assert.Equal([("h", "1"), ("h", null)], records["a"].Headers.Select(h => (h.Name, Text(h.Value))));
        Assert.Equal((null, "keyless"), (Text(records["b"].Key), Text(records["b"].Value)));
        Assert.Equal(("k", null), (Text(records["c"].Key), Text(records["c"].Value)));
        Assert.Equal(("", ""), (Text(records["d"].Key), Text(records["d"].Value)));
        Assert.Equal(Murmur2.Partition("k"u8, 2), records["a"].Partition);
    }

    [Fact]
    public async Task Units_submitted_in_order_are_in_the_log_in_order()
    {
        var log = await OpenAsync();
        var durable = new List<Task>();
        for (var i = 0; i < 200; i++)
        {
            var unit = new EventUnit();
            Add(unit, i % 7 == 0 ? "fresh" + i : "t", "same", i.ToString(System.Globalization.CultureInfo.InvariantCulture));
            if (i % 7 == 0) Add(unit, "t", "same", i.ToString(System.Globalization.CultureInfo.InvariantCulture));
            durable.Add(await log.SubmitAsync(unit, Ct));
        }
        await Task.WhenAll(durable);
        await using var reader = log.Read("c1", t => t == "t", fromEnd: false);
        Assert.Equal(Enumerable.Range(0, 200).Select(i => $"{i}"), (await ReadAsync(reader, 200)).Select(r => Text(r.Value)));
    }

    [Fact]
    public async Task Tables_change_with_the_records_and_survive()
    {
        var log = await OpenAsync();
        var unit = new EventUnit();
        unit.Put("t1", "a"u8, "1"u8);
        unit.Put("t1", "b"u8, ""u8);
        unit.Put("t2", "a"u8, "2"u8);
        Add(unit, "topic", null, "x");
        await log.CommitAsync(unit, Ct);
        unit.Clear();
        unit.Delete("t1", "a"u8);
        await log.CommitAsync(unit, Ct);
        for (var i = 0; i < 2; i++)
        {
            Assert.Null(log.Get("t1", "a"u8));
            Assert.Equal("", Text(log.Get("t1", "b"u8)));
            Assert.Equal("2", Text(log.Get("t2", "a"u8)));
            Assert.Null(log.Get("t3", "a"u8));
            Assert.Equal("b", Text(Assert.Single(log.Scan("t1")).Key));
            log = await ReopenAsync();
        }
    }

    [Fact]
    public async Task A_reader_waits_and_is_woken_also_by_a_new_topic()
    {
        var log = await OpenAsync();
        await using var reader = log.Read("c1", t => t.StartsWith("plant.", StringComparison.Ordinal), fromEnd: false);
        foreach (var topic in (string[])["plant.a", "other", "plant.a", "plant.b"])
        {
            var waiting = ReadAsync(reader, 1);
            var unit = new EventUnit();
            Add(unit, topic, null, topic);
            await log.CommitAsync(unit, Ct);
            if (topic == "other")
            {
                unit.Clear();
                Add(unit, "plant.a", null, topic);
                await log.CommitAsync(unit, Ct);
            }
            Assert.Equal(topic, Text((await waiting)[0].Value));
        }
    }

    [Fact]
    public async Task A_settled_position_is_where_the_next_reader_begins()
    {
        var log = await OpenAsync();
        var unit = new EventUnit();
        for (var i = 0; i < 10; i++) Add(unit, "t", "k", $"{i}");
        await log.CommitAsync(unit, Ct);
        await using (var reader = log.Read("c1", _ => true, fromEnd: false))
        {
            var first = await ReadAsync(reader, 4);
            Assert.Equal(4, first.Count);
            Assert.Equal(6, reader.Lag);
            unit.Clear();
            reader.Settle(unit, first[^1]);
            await log.CommitAsync(unit, Ct);
        }
        log = await ReopenAsync();
        await using var next = log.Read("c1", _ => true, fromEnd: false);
        Assert.Equal(["4", "5", "6", "7", "8", "9"], (await ReadAsync(next, 6)).Select(r => Text(r.Value)));
        await using var other = log.Read("c2", _ => true, fromEnd: false);
        Assert.Equal("0", Text((await ReadAsync(other, 1))[0].Value));
    }

    [Fact]
    public async Task From_the_end_skips_what_is_there_and_an_anchor_remembers_it()
    {
        var log = await OpenAsync();
        var unit = new EventUnit();
        Add(unit, "t", "k", "old");
        await log.CommitAsync(unit, Ct);
        await using (var reader = log.Read("c1", _ => true, fromEnd: true))
        {
            unit.Clear();
            reader.Anchor(unit);
            await log.CommitAsync(unit, Ct);
        }
        unit.Clear();
        Add(unit, "t", "k", "new");
        await log.CommitAsync(unit, Ct);
        await using var next = log.Read("c1", _ => true, fromEnd: false);
        Assert.Equal("new", Text((await ReadAsync(next, 1))[0].Value));
        Assert.Equal(2, log.Ends("t").Sum());
        Assert.Empty(log.Ends("none"));
    }

    [Fact]
    public async Task A_unit_may_hold_many_records_of_any_size()
    {
        var log = await OpenAsync();
        var unit = new EventUnit();
        var sizes = new List<int>();
        for (var i = 0; i < 300; i++)
        {
            sizes.Add(i * 37 % 20_000);
            Add(unit, "t", "k", new string('x', sizes[^1]));
        }
        await log.CommitAsync(unit, Ct);
        await using var reader = log.Read("c1", _ => true, fromEnd: false);
        Assert.Equal(sizes, (await ReadAsync(reader, 300)).Select(r => r.Value!.Value.Length));
    }
}

public sealed class MemoryEventLogTests : EventLogContract
{
    readonly MemoryEventLog _log = new() { Partitions = 2 };
    protected override ValueTask<IEventLog> OpenAsync() => new(_log);
    protected override ValueTask<IEventLog> ReopenAsync() => new(_log);
    public override ValueTask DisposeAsync() => default;
}

public sealed class EmbeddedEventLogTests : EventLogContract
{
    readonly string _directory = Directory.CreateTempSubdirectory("iotgateway-").FullName;
    LogStore? _store;

    protected override async ValueTask<IEventLog> OpenAsync()
    {
        _store = await LogStore.OpenAsync(new() { Directory = _directory, WalBytes = 16 << 20, ReserveBytes = 1 << 20 }, NullLogger.Instance, TimeProvider.System, CancellationToken.None);
        return new EmbeddedEventLog(_store, new() { Name = "plant-test", Broker = new() { DefaultPartitions = 2 } }, NullLogger<EmbeddedEventLog>.Instance);
    }

    protected override async ValueTask<IEventLog> ReopenAsync()
    {
        await _store!.DisposeAsync();
        return await OpenAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        if (_store is not null) await _store.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task A_topic_made_anew_is_read_from_its_beginning()
    {
        var log = await OpenAsync();
        await Put(log, "t", "1", "2");
        await using (var reader = log.Read("c", _ => true, fromEnd: false))
        {
            var last = (await reader.ReadAsync(10, 1 << 20, CancellationToken.None))[^1];
            var unit = new EventUnit();
            reader.Settle(unit, last);
            await log.CommitAsync(unit, CancellationToken.None);
        }
        await _store!.DeleteTopicAsync(_store.Find("t")!.Id, CancellationToken.None);
        await Put(log, "t", "3");
        await using var next = log.Read("c", _ => true, fromEnd: false);
        Assert.Equal("3"u8.ToArray(), (await next.ReadAsync(10, 1 << 20, CancellationToken.None))[0].Value!.Value.ToArray());
    }

    [Fact]
    public void Topics_are_made_as_the_configuration_says()
    {
        var gateway = new GatewayConfig
        {
            Name = "g", Topics = [new() { Match = "alarms.*", Lane = Lane.High, Partitions = 3, Durability = "interval:1s", Retention = new() { Time = TimeSpan.FromDays(90) } }],
        };
        var (partitions, config) = TopicSettings.For(gateway, "alarms.press", Lane.Low);
        Assert.Equal(3, partitions);
        Assert.Equal(new Dictionary<string, string> { ["iotgateway.lane"] = "high", ["iotgateway.durability"] = "interval:1000ms", ["retention.ms"] = "7776000000" }, config.Settings);
        Assert.Equal("compact", TopicSettings.For(gateway, "gateway.gaps", Lane.Normal).Config.Settings["cleanup.policy"]);
    }

    static async Task Put(IEventLog log, string topic, params string[] values)
    {
        var unit = new EventUnit();
        foreach (var value in values)
        {
            unit.Begin(topic, 0);
            unit.Key("k"u8);
            unit.Value(Encoding.UTF8.GetBytes(value));
            unit.End();
        }
        await log.CommitAsync(unit, CancellationToken.None);
    }
}
