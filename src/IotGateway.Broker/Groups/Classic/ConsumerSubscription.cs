using System.Buffers.Binary;
using System.Text;

namespace IotGateway.Broker.Groups.Classic;

/// <summary>
/// Reads the topics from what Kafka's consumers send as their protocol metadata: version (i16), topics (i32 count; each an i16 length
/// and UTF-8), and more in later versions (Kafka's ConsumerProtocolSubscription.json). All big-endian.
/// </summary>
internal static class ConsumerSubscription
{
    /// <summary>Topics of all members together; null when one of them sends something else.</summary>
    public static HashSet<string>? Union(IEnumerable<ReadOnlyMemory<byte>> metadata)
    {
        HashSet<string> topics = new(StringComparer.Ordinal);
        return metadata.All(bytes => TryRead(bytes.Span, topics)) ? topics : null;
    }

    static bool TryRead(ReadOnlySpan<byte> bytes, HashSet<string> topics)
    {
        if (bytes.Length < 6) return false;
        var count = BinaryPrimitives.ReadInt32BigEndian(bytes[2..]);
        bytes = bytes[6..];
        for (var i = 0; i < count; i++)
        {
            if (bytes.Length < 2) return false;
            var length = BinaryPrimitives.ReadInt16BigEndian(bytes);
            if (length < 0 || bytes.Length < 2 + length) return false;
            topics.Add(Encoding.UTF8.GetString(bytes.Slice(2, length)));
            bytes = bytes[(2 + length)..];
        }
        return count >= 0;
    }
}
