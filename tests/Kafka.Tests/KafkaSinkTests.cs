using System.Diagnostics;
using System.Globalization;
using IotGateway.Connect.EventLog;
using IotGateway.Connectors.Kafka.Config;
using IotGateway.Sdk;
using IotGateway.Sdk.Config;
using IotGateway.Sdk.Data;
using IotGateway.Sdk.Health;

namespace Kafka.Tests;

/// <summary>Forwarding into a real Apache Kafka, through its failures.</summary>
public sealed class KafkaSinkTests(KafkaCluster cluster) : IClassFixture<KafkaCluster>
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    readonly string _topic = "t-" + Guid.NewGuid().ToString("N")[..8];

    KafkaConfig Config => new() { Endpoint = new Endpoints(cluster.Bootstrap) };
    string Target => "testgw." + _topic;

    [Fact]
    public async Task Keeps_key_value_headers_timestamp_and_partition_and_makes_the_topic()
    {
        await using var rig = new SinkRig(Config);
        List<SinkRecord> records =
        [
            new() { Topic = _topic, Partition = 2, Partitions = 4, Offset = 0, Timestamp = 1_700_000_000_123, Key = SinkRig.Bytes("k"), Value = SinkRig.Bytes("v"), Headers = [new("a", SinkRig.Bytes("1")), new("a", null), new("b", SinkRig.Bytes(""))] },
            new() { Topic = _topic, Partition = 3, Partitions = 4, Offset = 0, Timestamp = 5, Key = null, Value = null },
            new() { Topic = _topic, Partition = 3, Partitions = 4, Offset = 1, Timestamp = 6, Key = SinkRig.Bytes(""), Value = SinkRig.Bytes("xyz").AsMemory(1, 1) },
        ];
        await rig.SendAllAsync(records, 10, Ct);
        Assert.Equal(4, cluster.PartitionsOf(Target));
        var found = cluster.ReadAll(Target, 3);
        Assert.Equal([2, 3, 3], found.Select(f => f.Partition.Value));
        Assert.Equal([1_700_000_000_123, 5, 6], found.Select(f => f.Message.Timestamp.UnixTimestampMs));
        Assert.Equal(["k", null, ""], found.Select(f => f.Message.Key is { } k ? SinkRig.Text(k) : null));
        Assert.Equal(["v", null, "y"], found.Select(f => f.Message.Value is { } v ? SinkRig.Text(v) : null));
        Assert.Equal(["a=1", "a=<null>", "b="], found[0].Message.Headers.Select(h => h.Key + "=" + (h.GetValueBytes() is { } b ? SinkRig.Text(b) : "<null>")));
        Assert.Equal(0, rig.Faults);
    }

    [Fact]
    public async Task With_another_number_of_partitions_records_are_placed_by_key_as_java_clients_do()
    {
        await cluster.CreateAsync(Target, 5);
        await using var rig = new SinkRig(Config);
        await rig.SendAllAsync(SinkRig.Numbered(_topic, 100), 100, Ct);
        var found = cluster.ReadAll(Target, 100);
        Assert.All(found.GroupBy(f => SinkRig.Text(f.Message.Key)), key => Assert.Single(key.Select(f => f.Partition.Value).Distinct()));
        Assert.All(found, f => Assert.Equal(Murmur2.Partition(f.Message.Key, 5), f.Partition.Value));
        AssertOrderPerKey(found, 100);
    }

    [Fact]
    public async Task Twenty_thousand_records_arrive_in_order_though_the_cluster_dies_in_the_middle()
    {
        await using var rig = new SinkRig(Config);
        var revival = Task.CompletedTask;
        rig.Between = settled =>
        {
            if (settled >= 8_000 && revival.IsCompleted && revival == Task.CompletedTask) revival = Outage();
            return Task.CompletedTask;
        };
        await rig.SendAllAsync(SinkRig.Numbered(_topic, 20_000), 500, Ct);
        await revival;
        var found = cluster.ReadToEnd(Target);
        AssertOrderPerKey(found, 20_000);
        // Idempotence usually leaves none twice; at the worst what was in flight when the cluster died is (at least once, as the README says).
        Assert.InRange(found.Count, 20_000, 20_000 + 2_500);
        Assert.Equal(0, rig.Faults);
        Assert.Equal([PartState.Down, PartState.Ok], rig.Context.Reports.Select(r => r.State));

        async Task Outage()
        {
            await cluster.KillAsync();
            await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System, Ct);
            await cluster.ReviveAsync();
        }
    }

    [Fact]
    public async Task A_sink_killed_in_the_middle_leaves_nothing_out_when_its_successor_begins_at_the_last_settled_record()
    {
        var records = SinkRig.Numbered(_topic, 5_000);
        await using (var first = new SinkRig(Config))
        {
            var sink = await first.OpenAsync(Ct);
            Assert.Equal(2_000, (await sink.WriteAsync([.. records.Take(2_000)], Ct)).Settled);
            _ = await sink.WriteAsync([.. records.Skip(2_000).Take(2_000)], Ct);      // its position was not kept: the gateway died
        }
        await using var second = new SinkRig(Config);
        await second.SendAllAsync([.. records.Skip(2_000)], 700, Ct);
        var found = cluster.ReadAll(Target, 7_000);
        Assert.Equal(7_000, found.Count);
        AssertOrderPerKey(found, 5_000);
    }

    [Fact]
    public async Task A_cancelled_write_answers_at_once_and_what_was_on_its_way_is_not_sent_twice()
    {
        await using var rig = new SinkRig(Config);
        var records = SinkRig.Numbered(_topic, 3_000);
        var sink = await rig.OpenAsync(Ct);
        Assert.Equal(1_000, (await sink.WriteAsync([.. records.Take(1_000)], Ct)).Settled);
        await cluster.FreezeAsync();
        try
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
            stop.CancelAfter(TimeSpan.FromMilliseconds(300));
            var clock = Stopwatch.StartNew();
            var result = await sink.WriteAsync([.. records.Skip(1_000).Take(1_000)], stop.Token);
            Assert.Equal(0, result.Settled);
            Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(2));
        }
        finally { await cluster.ThawAsync(); }
        Assert.Equal(2_000, (await sink.WriteAsync([.. records.Skip(1_000)], Ct)).Settled);
        var found = cluster.ReadAll(Target, 3_000);
        Assert.Equal(3_000, found.Count);
        AssertOrderPerKey(found, 3_000);
    }

    [Fact]
    public async Task A_record_too_large_for_the_topic_is_rejected_alone_and_its_neighbours_arrive()
    {
        await cluster.CreateAsync(Target, 3, ("max.message.bytes", "20000"));
        await using var rig = new SinkRig(Config with { Compression = Compression.None });
        var records = SinkRig.Numbered(_topic, 300, size: 100);
        records[150] = records[150] with { Value = new byte[50_000] };
        await rig.SendAllAsync(records, 300, Ct);
        Assert.Equal(150, Assert.Single(rig.Rejected).Offset);
        var found = cluster.ReadToEnd(Target);
        AssertFirstsInOrder(found);
        Assert.Equal(299, found.Select(f => SinkRig.Text(f.Message.Value)).Distinct().Count());
        Assert.Equal(0, rig.Faults);
    }

    [Fact]
    public async Task A_record_a_compacted_topic_refuses_is_rejected_alone()
    {
        await cluster.CreateAsync(Target, 1, ("cleanup.policy", "compact"));
        await using var rig = new SinkRig(Config);
        var records = SinkRig.Numbered(_topic, 100, partitions: 1);
        records[7] = records[7] with { Key = null };
        await rig.SendAllAsync(records, 100, Ct);
        Assert.Equal(7, Assert.Single(rig.Rejected).Offset);
        Assert.Equal(99, cluster.ReadToEnd(Target).Select(f => SinkRig.Text(f.Message.Value)).Distinct().Count());
    }

    [Fact]
    public async Task Ends_promptly_while_the_cluster_is_silent()
    {
        var rig = new SinkRig(Config);
        var sink = await rig.OpenAsync(Ct);
        Assert.Equal(10, (await sink.WriteAsync(SinkRig.Numbered(_topic, 10), Ct)).Settled);
        await cluster.FreezeAsync();
        try
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
            stop.CancelAfter(TimeSpan.FromMilliseconds(200));
            _ = await sink.WriteAsync(SinkRig.Numbered(_topic, 1_000), stop.Token);
            var clock = Stopwatch.StartNew();
            await rig.DisposeAsync();
            Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(7));
        }
        finally { await cluster.ThawAsync(); }
    }

    [Fact]
    public async Task A_missing_topic_that_may_not_be_made_needs_a_human()
    {
        await using var rig = new SinkRig(Config with { CreateTopics = false });
        var e = await Assert.ThrowsAsync<PermanentException>(() => rig.SendAllAsync(SinkRig.Numbered(_topic, 1), 1, Ct));
        Assert.Contains(Target, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_topic_deleted_meanwhile_is_made_again()
    {
        await using var rig = new SinkRig(Config);
        var records = SinkRig.Numbered(_topic, 20);
        var sink = await rig.OpenAsync(Ct);
        Assert.Equal(10, (await sink.WriteAsync([.. records.Take(10)], Ct)).Settled);
        using (var admin = new Confluent.Kafka.AdminClientBuilder(new Confluent.Kafka.AdminClientConfig { BootstrapServers = cluster.Bootstrap }).Build())
            await admin.DeleteTopicsAsync([Target]);
        await rig.SendAllAsync([.. records.Skip(10)], 10, Ct);
        Assert.Equal(Enumerable.Range(10, 10), cluster.ReadToEnd(Target).Select(NumberOf).Distinct().Order());
    }

    [Fact]
    public async Task A_cluster_that_is_not_there_fails_the_opening_without_a_human()
    {
        await using var rig = new SinkRig(new() { Endpoint = new Endpoints("127.0.0.1:1") });
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(3));
        var e = await Assert.ThrowsAnyAsync<Exception>(() => rig.OpenAsync(timeout.Token));
        Assert.IsNotType<PermanentException>(e);
    }

    /// <summary>Each key's numbers rise (a repetition may begin again, but no number comes before a smaller one was there), and none is missing.</summary>
    static void AssertOrderPerKey(List<Confluent.Kafka.ConsumeResult<byte[]?, byte[]?>> found, int count)
    {
        AssertFirstsInOrder(found);
        Assert.Equal(Enumerable.Range(0, count), found.Select(NumberOf).Distinct().Order());
    }

    static void AssertFirstsInOrder(List<Confluent.Kafka.ConsumeResult<byte[]?, byte[]?>> found)
    {
        foreach (var key in found.GroupBy(f => SinkRig.Text(f.Message.Key)))
        {
            var firsts = key.Select(NumberOf).Distinct().ToList();
            Assert.Equal(firsts.Order(), firsts);
        }
    }

    static int NumberOf(Confluent.Kafka.ConsumeResult<byte[]?, byte[]?> r) => int.Parse(SinkRig.Text(r.Message.Value), CultureInfo.InvariantCulture);
}
