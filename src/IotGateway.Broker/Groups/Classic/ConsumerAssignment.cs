using IotGateway.Broker.Protocol;

namespace IotGateway.Broker.Groups.Classic;

/// <summary>
/// What Kafka's consumers take as their assignment (ConsumerProtocolAssignment.json, versions 0 to 3, all alike): version (i16), topics
/// with their partitions, user data (nullable bytes).
/// </summary>
internal static class ConsumerAssignment
{
    const short MaxVersion = 3;

    public static byte[] Write(short version, IEnumerable<(string Topic, int Partition)> partitions)
    {
        using KafkaWriter writer = new(64);
        writer.WriteInt16(Math.Clamp(version, (short)0, MaxVersion));
        WritePartitions(writer, partitions);
        writer.WriteBytes(null, false, true);
        return writer.ToArray();
    }

    /// <summary>Empty when it is nothing that a consumer's assignor makes.</summary>
    public static IReadOnlyList<(string Topic, int Partition)> Read(ReadOnlyMemory<byte> assignment)
    {
        try
        {
            KafkaReader reader = new(assignment);
            reader.ReadInt16();
            return ReadPartitions(ref reader);
        }
        catch (ProtocolException)
        {
            return [];
        }
    }

    /// <summary>Topics, each with its partitions in order, as both of the consumers' schemas have them.</summary>
    public static void WritePartitions(KafkaWriter writer, IEnumerable<(string Topic, int Partition)> partitions)
    {
        var topics = partitions.GroupBy(item => item.Topic, item => item.Partition, StringComparer.Ordinal).ToArray();
        writer.WriteInt32(topics.Length);
        foreach (var topic in topics)
        {
            writer.WriteString(topic.Key, false, false);
            writer.WriteInt32s([.. topic.Order()], false, false);
        }
    }

    /// <summary>The same, read.</summary>
    /// <exception cref="ProtocolException">It is something else.</exception>
    public static List<(string Topic, int Partition)> ReadPartitions(ref KafkaReader reader)
    {
        List<(string, int)> partitions = [];
        var topics = reader.ReadInt32();
        if (topics < 0) throw new ProtocolException($"A list has {topics} topics.");
        for (; topics > 0; topics--)
        {
            var topic = reader.ReadString(false);
            foreach (var partition in reader.ReadInt32s(false)) partitions.Add((topic, partition));
        }
        return partitions;
    }
}
