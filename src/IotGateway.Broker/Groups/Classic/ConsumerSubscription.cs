using IotGateway.Broker.Protocol;

namespace IotGateway.Broker.Groups.Classic;

/// <summary>
/// What Kafka's consumers send as their protocol metadata (ConsumerProtocolSubscription.json, versions 0 to 3): version (i16), topics,
/// user data (nullable bytes), from 1 the partitions it has, from 2 its generation (i32), from 3 its rack (nullable). Strings have an
/// i16 length, lists and bytes an i32 one; all big-endian. Later versions may add to the end.
/// </summary>
internal sealed record ConsumerSubscription(short Version, IReadOnlyList<string> Topics, IReadOnlyList<(string Topic, int Partition)> Owned, string? Rack)
{
    /// <summary>Null: it is something else.</summary>
    public static ConsumerSubscription? Read(ReadOnlyMemory<byte> metadata)
    {
        try
        {
            KafkaReader reader = new(metadata);
            var version = reader.ReadInt16();
            var topics = reader.ReadStrings(false);
            if (version < 1) return new(version, topics, [], null); // also where an old client ends after the topics
            reader.ReadNullableBytes(false, true);
            var owned = ConsumerAssignment.ReadPartitions(ref reader);
            if (version >= 2) reader.ReadInt32();
            return new(version, topics, owned, version >= 3 ? reader.ReadNullableString(false, true) : null);
        }
        catch (ProtocolException)
        {
            return null;
        }
    }

    /// <summary>Topics of all members together; null when one of them sends something else.</summary>
    public static HashSet<string>? Union(IEnumerable<ReadOnlyMemory<byte>> metadata)
    {
        HashSet<string> topics = new(StringComparer.Ordinal);
        foreach (var bytes in metadata)
        {
            if (Read(bytes) is not { } subscription) return null;
            topics.UnionWith(subscription.Topics);
        }
        return topics;
    }
}
