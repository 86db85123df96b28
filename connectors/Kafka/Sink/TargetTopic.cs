using Confluent.Kafka;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Kafka.Sink;

/// <summary>A topic in the target cluster.</summary>
/// <param name="Name">Its name; null when the expanded name is none Kafka would take.</param>
/// <param name="Partitions">How many partitions it has.</param>
/// <param name="MaxMessage">Largest record batch it takes, bytes.</param>
sealed record TargetTopic(string? Name, int Partitions, int MaxMessage)
{
    /// <summary>Kafka's default of max.message.bytes.</summary>
    public const int DefaultMaxMessage = 1_048_588;

    /// <summary>
    /// Where a record goes: the same partition where both topics have as many; else by its key, as Java clients do; without key by its
    /// partition. Each of the three sends a key's records to one partition.
    /// </summary>
    public TopicPartition PlaceOf(SinkRecord record)
    {
        var same = record.Partitions == 0 ? record.Partition < Partitions : record.Partitions == Partitions;
        return new TopicPartition(Name, same ? record.Partition : record.Key is null ? record.Partition % Partitions : Partition.Any);
    }
}
