using System.Buffers.Binary;
using System.Text;

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
            Cursor cursor = new(metadata.Span);
            var version = cursor.Int16();
            List<string> topics = [];
            for (var count = cursor.Count(); count > 0; count--) topics.Add(cursor.Text() ?? throw new FormatException());
            List<(string, int)> owned = [];
            string? rack = null;
            if (version < 1) return new(version, topics, owned, rack); // also where an old client ends after the topics
            cursor.SkipBytes();
            cursor.Partitions(owned);
            if (version >= 2) cursor.Int32();
            if (version >= 3) rack = cursor.Text();
            return new(version, topics, owned, rack);
        }
        catch (Exception e) when (e is FormatException or ArgumentOutOfRangeException)
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

    /// <summary>Reads big-endian fields; what is cut off is an <see cref="ArgumentOutOfRangeException"/>.</summary>
    internal ref struct Cursor(ReadOnlySpan<byte> rest)
    {
        ReadOnlySpan<byte> rest = rest;

        public short Int16() => BinaryPrimitives.ReadInt16BigEndian(Take(2));

        public int Int32() => BinaryPrimitives.ReadInt32BigEndian(Take(4));

        public int Count() => Int32() is var count and >= 0 ? count : throw new FormatException();

        public string? Text() => Int16() is var length and >= 0 ? Encoding.UTF8.GetString(Take(length)) : null;

        public void SkipBytes()
        {
            if (Int32() is var length and > 0) Take(length);
        }

        public void Partitions(List<(string, int)> into)
        {
            for (var topics = Count(); topics > 0; topics--)
            {
                var topic = Text() ?? throw new FormatException();
                for (var count = Count(); count > 0; count--) into.Add((topic, Int32()));
            }
        }

        ReadOnlySpan<byte> Take(int length)
        {
            var taken = rest[..length];
            rest = rest[length..];
            return taken;
        }
    }
}
