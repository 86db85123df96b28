using System.Text;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using IotGateway.Broker.Tests.Server;

namespace IotGateway.Broker.Tests.Clients;

/// <summary>Confluent.Kafka over librdkafka.</summary>
public sealed class ConfluentTests
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Theory, InlineData(CompressionType.None), InlineData(CompressionType.Gzip), InlineData(CompressionType.Snappy), InlineData(CompressionType.Lz4), InlineData(CompressionType.Zstd)]
    public async Task An_idempotent_producer_and_a_consumer_keep_keys_headers_times_and_order(CompressionType compression)
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t");
        var time = new Timestamp(1_700_000_000_000, TimestampType.CreateTime);
        using (var producer = new ProducerBuilder<string, string>(new ProducerConfig { BootstrapServers = broker.Bootstrap, EnableIdempotence = true, CompressionType = compression, LingerMs = 5 }).Build())
        {
            for (var i = 0; i < 1000; i++)
                producer.Produce("t", new() { Key = $"k{i}", Value = $"v{i}", Timestamp = time, Headers = new() { { "unit", Encoding.UTF8.GetBytes("°C") } } });
            producer.Flush(Patience);
        }
        using var consumer = Consumer(broker, "g");
        consumer.Assign(new TopicPartitionOffset("t", 0, Offset.Beginning));
        for (var i = 0; i < 1000; i++)
        {
            var record = consumer.Consume(Patience) ?? throw new TimeoutException($"Record {i} did not come.");
            Assert.Equal((i, $"k{i}", $"v{i}", time.UnixTimestampMs), (record.Offset.Value, record.Message.Key, record.Message.Value, record.Message.Timestamp.UnixTimestampMs));
            Assert.Equal("°C", Encoding.UTF8.GetString(record.Message.Headers.GetLastBytes("unit")));
        }
    }

    [Theory, InlineData(GroupProtocol.Classic), InlineData(GroupProtocol.Consumer)]
    public async Task Two_members_share_a_group_and_the_one_left_goes_on_from_what_was_committed(GroupProtocol protocol)
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t", 4);
        await ProduceAsync(broker, 400);
        using var first = Consumer(broker, "g", protocol);
        var second = Consumer(broker, "g", protocol);
        first.Subscribe("t");
        second.Subscribe("t");
        var seen = new HashSet<string>();
        var deadline = TimeProvider.System.GetTimestamp();
        while (seen.Count < 400 || !AtEnd(first) || !AtEnd(second))
        {
            if (TimeProvider.System.GetElapsedTime(deadline) > Patience) Assert.Fail($"{seen.Count} records; {first.Assignment.Count} and {second.Assignment.Count} partitions.");
            foreach (var consumer in new[] { first, second })
                if (consumer.Consume(20) is { } record) seen.Add(record.Message.Value);
        }
        first.Commit();
        second.Commit();
        second.Close();
        second.Dispose();
        await ProduceAsync(broker, 8, "late");
        var late = new List<string>();
        while (late.Count < 8)
            late.Add((first.Consume(Patience) ?? throw new TimeoutException($"{late.Count} of the late records came.")).Message.Value);
        Assert.All(late, v => Assert.StartsWith("late", v, StringComparison.Ordinal)); // nothing committed comes again
        Assert.Equal(4, first.Assignment.Count);
    }

    [Fact]
    public async Task A_fleet_moves_to_the_consumer_protocol_and_back_one_by_one()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t", 4);
        List<IConsumer<string, string>> fleet = [Consumer(broker, "g"), Consumer(broker, "g")];
        fleet.ForEach(c => c.Subscribe("t"));
        var seen = new HashSet<string>();
        var sent = 0;
        await TakeAllAsync();
        foreach (var protocol in new[] { GroupProtocol.Consumer, GroupProtocol.Consumer, GroupProtocol.Classic, GroupProtocol.Classic })
        {
            fleet[0].Commit();
            fleet[0].Close();
            fleet[0].Dispose();
            fleet.RemoveAt(0);
            fleet.Add(Consumer(broker, "g", protocol));
            fleet[^1].Subscribe("t");
            await TakeAllAsync();
        }
        fleet.ForEach(c => c.Close());
        fleet.ForEach(c => c.Dispose());

        async Task TakeAllAsync()
        {
            await ProduceAsync(broker, 40, $"{sent}-");
            sent += 40;
            var started = TimeProvider.System.GetTimestamp();
            while (seen.Count < sent || fleet.Exists(c => c.Assignment.Count != 2))
            {
                // Members by the consumer protocol hear of a step once in 5 s, and a step of one may wait for a step of another.
                if (TimeProvider.System.GetElapsedTime(started) > 3 * Patience) Assert.Fail($"{seen.Count} of {sent} records; {string.Join(" and ", fleet.Select(c => c.Assignment.Count))} partitions.");
                foreach (var consumer in fleet)
                    if (consumer.Consume(20) is { } record) seen.Add(record.Message.Value);
            }
        }
    }

    [Fact]
    public async Task The_admin_client_makes_describes_and_removes_topics()
    {
        await using var broker = await TestBroker.StartAsync();
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.Bootstrap }).Build();
        await admin.CreateTopicsAsync([new() { Name = "t", NumPartitions = 2, ReplicationFactor = 3 }]);
        var topic = admin.GetMetadata("t", Patience).Topics.Single();
        Assert.Equal((2, 1), (topic.Partitions.Count, topic.Partitions[0].Replicas.Length));
        Assert.Equal(ErrorCode.TopicAlreadyExists,
            (await Assert.ThrowsAsync<CreateTopicsException>(() => admin.CreateTopicsAsync([new() { Name = "t" }]))).Results[0].Error.Code);
        await admin.DeleteTopicsAsync(["t"]);
        Assert.Empty(broker.Store.Topics);
    }

    /// <summary>A partition that changed hands may be read twice before the first commit.</summary>
    static bool AtEnd(IConsumer<string, string> consumer) => consumer.Assignment.Count == 2 && consumer.Assignment.TrueForAll(p => consumer.Position(p) == 100);

    static IConsumer<string, string> Consumer(TestBroker broker, string group, GroupProtocol protocol = GroupProtocol.Classic)
    {
        var config = new ConsumerConfig { BootstrapServers = broker.Bootstrap, GroupId = group, AutoOffsetReset = AutoOffsetReset.Earliest, EnableAutoCommit = false, GroupProtocol = protocol };
        if (protocol == GroupProtocol.Classic) config.SessionTimeoutMs = 6000;
        return new ConsumerBuilder<string, string>(config).Build();
    }

    static async Task ProduceAsync(TestBroker broker, int count, string prefix = "v")
    {
        using var producer = new ProducerBuilder<string, string>(new ProducerConfig { BootstrapServers = broker.Bootstrap }).Build();
        await Task.WhenAll(Enumerable.Range(0, count).Select(i => producer.ProduceAsync(new TopicPartition("t", i % 4), new() { Key = $"{i}", Value = $"{prefix}{i}" })));
    }
}
