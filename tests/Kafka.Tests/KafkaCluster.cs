using System.Diagnostics;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using IotGateway.Testing;

namespace Kafka.Tests;

/// <summary>A real Apache Kafka, and what tests look at in it.</summary>
public sealed class KafkaCluster : KafkaNode
{
    /// <summary>Every record of a topic, partition by partition, once <paramref name="count"/> are there; half a second more is waited for others.</summary>
    public List<ConsumeResult<byte[]?, byte[]?>> ReadAll(string topic, int count)
    {
        using var consumer = new ConsumerBuilder<byte[]?, byte[]?>(new ConsumerConfig { BootstrapServers = Bootstrap, GroupId = "reader-" + Guid.NewGuid(), AutoOffsetReset = AutoOffsetReset.Earliest, EnablePartitionEof = true })
            .SetKeyDeserializer(Nullable.Instance).SetValueDeserializer(Nullable.Instance).SetErrorHandler((_, _) => { }).Build();
        consumer.Assign(Enumerable.Range(0, PartitionsOf(topic)).Select(p => new TopicPartitionOffset(topic, p, Offset.Beginning)));
        var found = new List<ConsumeResult<byte[]?, byte[]?>>();
        var deadline = Stopwatch.StartNew();
        while (deadline.Elapsed < TimeSpan.FromSeconds(30))
        {
            var one = consumer.Consume(TimeSpan.FromSeconds(found.Count >= count ? 0.5 : 10));
            if (one is null && found.Count >= count) break;
            if (one is { IsPartitionEOF: false }) found.Add(one);
        }
        return [.. found.OrderBy(r => r.Partition.Value).ThenBy(r => r.Offset.Value)];
    }

    /// <summary>Every record of a topic up to its present ends, partition by partition.</summary>
    public List<ConsumeResult<byte[]?, byte[]?>> ReadToEnd(string topic)
    {
        using var consumer = new ConsumerBuilder<byte[]?, byte[]?>(new ConsumerConfig { BootstrapServers = Bootstrap, GroupId = "reader-" + Guid.NewGuid(), EnablePartitionEof = true })
            .SetKeyDeserializer(Nullable.Instance).SetValueDeserializer(Nullable.Instance).SetErrorHandler((_, _) => { }).Build();
        var open = PartitionsOf(topic);
        consumer.Assign(Enumerable.Range(0, open).Select(p => new TopicPartitionOffset(topic, p, Offset.Beginning)));
        var found = new List<ConsumeResult<byte[]?, byte[]?>>();
        while (open > 0)
        {
            var one = consumer.Consume(TimeSpan.FromSeconds(30)) ?? throw new TimeoutException($"{topic} does not come to its end.");
            if (one.IsPartitionEOF) open--;
            else found.Add(one);
        }
        return [.. found.OrderBy(r => r.Partition.Value).ThenBy(r => r.Offset.Value)];
    }

    public int PartitionsOf(string topic)
    {
        using var admin = Admin();
        return admin.GetMetadata(topic, TimeSpan.FromSeconds(10)).Topics[0].Partitions.Count;
    }

    public async Task CreateAsync(string topic, int partitions, params (string Name, string Value)[] configs)
    {
        using var admin = Admin();
        await admin.CreateTopicsAsync([new TopicSpecification { Name = topic, NumPartitions = partitions, ReplicationFactor = 1, Configs = configs.ToDictionary(c => c.Name, c => c.Value) }]);
    }

    IAdminClient Admin() => new AdminClientBuilder(new AdminClientConfig { BootstrapServers = Bootstrap }).Build();

    sealed class Nullable : IDeserializer<byte[]?>
    {
        public static readonly Nullable Instance = new();
        public byte[]? Deserialize(ReadOnlySpan<byte> data, bool isNull, SerializationContext context) => isNull ? null : data.ToArray();
    }
}
