using System.Globalization;
using System.Text.Json.Nodes;
using Confluent.Kafka;

namespace Acceptance.Tests;

/// <summary>The Kafka sink carries everything to a real cluster, whatever is away or killed meanwhile.</summary>
public sealed class CloudSinkTests
{
    const int Keys = 50;

    [Fact]
    public async Task Nothing_is_missing_after_the_cluster_was_away_and_the_gateway_was_killed()
    {
        var records = Machine.Setting("CLOUD_RECORDS", 100_000);
        var away = TimeSpan.FromSeconds(Machine.Setting("CLOUD_AWAY", 30));
        await using var cloud = await ApacheKafka.StartAsync();
        await using var gateway = new GatewayUnderTest();
        gateway.Connector("cloud", new JsonObject { ["connector"] = "kafka", ["endpoint"] = cloud.Bootstrap, ["topics"] = new JsonArray("machine.*") });
        await gateway.StartAsync();
        await gateway.CliAsync("topics", "create", "machine.data", "--partitions", "3");

        await Produce(gateway.Broker, 0, records / 3);
        await Eventually.TrueAsync(() => Count(cloud.Bootstrap).GetAwaiter().GetResult() > 0, 40, () => "nothing reached the cloud: " + gateway.Log);
        await cloud.AwayAsync();
        var absent = System.Diagnostics.Stopwatch.StartNew();
        await Produce(gateway.Broker, records / 3, records / 3);
        await gateway.KillAsync(); // in the middle of the outage
        await gateway.StartAsync();
        await Produce(gateway.Broker, records / 3 * 2, records - records / 3 * 2);
        if (absent.Elapsed < away) await Task.Delay(away - absent.Elapsed);
        await cloud.BackAsync();
        await Task.Delay(1500);
        await gateway.KillAsync(); // in the middle of catching up
        await gateway.StartAsync();

        Dictionary<int, List<int>> arrived = [];
        await Eventually.TrueAsync(() => (arrived = Read(cloud.Bootstrap)).Values.Sum(v => v.Distinct().Count()) == records, 120,
            () => $"{arrived.Values.Sum(v => v.Distinct().Count())} of {records} arrived.\n{gateway.Log}");
        foreach (var (key, values) in arrived)
        {
            var first = values.Distinct().ToList();
            Assert.Equal(first.Order(), first);
            Assert.All(first, v => Assert.Equal(key, v % Keys));
        }
        var total = arrived.Values.Sum(v => v.Count);
        TestContext.Current.TestOutputHelper!.WriteLine($"{records} records, cluster away {away.TotalSeconds} s, gateway killed twice: none missing, {total - records} duplicates.");
    }

    static Task Produce(string bootstrap, int from, int count) => Task.Run(() =>
    {
        using var producer = new ProducerBuilder<string, string>(new ProducerConfig { BootstrapServers = bootstrap, EnableIdempotence = true, LingerMs = 5, QueueBufferingMaxMessages = 200_000 }).Build();
        for (var i = from; i < from + count; i++)
            producer.Produce("machine.data", new Message<string, string> { Key = $"k{i % Keys}", Value = i.ToString(CultureInfo.InvariantCulture), Headers = new Headers { { "n", BitConverter.GetBytes(i) } } });
        Assert.Equal(0, producer.Flush(TimeSpan.FromSeconds(60)));
    });

    static Task<long> Count(string bootstrap) => Task.Run(() => (long)Read(bootstrap).Values.Sum(v => v.Count));

    /// <summary>Values by key as an independent consumer finds them, in the order of each partition.</summary>
    static Dictionary<int, List<int>> Read(string bootstrap)
    {
        const string topic = "testgw.machine.data";
        using var consumer = new ConsumerBuilder<string, string>(new ConsumerConfig { BootstrapServers = bootstrap, GroupId = "check", EnablePartitionEof = true, EnableAutoCommit = false, IsolationLevel = IsolationLevel.ReadCommitted })
            .SetLogHandler((_, _) => { }).Build();
        using var admin = new DependentAdminClientBuilder(consumer.Handle).Build();
        var partitions = admin.GetMetadata(topic, TimeSpan.FromSeconds(10)).Topics.SelectMany(t => t.Partitions).Select(p => new TopicPartitionOffset(topic, p.PartitionId, Offset.Beginning)).ToList();
        var result = new Dictionary<int, List<int>>();
        if (partitions.Count == 0) return result;
        consumer.Assign(partitions);
        for (var waiting = partitions.Count; waiting > 0;)
        {
            var record = consumer.Consume(TimeSpan.FromSeconds(10)) ?? throw new TimeoutException("the cloud does not answer");
            if (record.IsPartitionEOF) { waiting--; continue; }
            var value = int.Parse(record.Message.Value, CultureInfo.InvariantCulture);
            Assert.Equal(value, BitConverter.ToInt32(record.Message.Headers.GetLastBytes("n")));
            var key = int.Parse(record.Message.Key.AsSpan(1), CultureInfo.InvariantCulture);
            if (!result.TryGetValue(key, out var values)) result[key] = values = [];
            values.Add(value);
        }
        return result;
    }
}
