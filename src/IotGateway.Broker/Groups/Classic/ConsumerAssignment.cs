using System.Buffers.Binary;
using System.Text;

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
        using var stream = new MemoryStream(64);
        Span<byte> number = stackalloc byte[4];
        var topics = partitions.GroupBy(item => item.Topic, item => item.Partition, StringComparer.Ordinal).ToArray();
        Int16(Math.Clamp(version, (short)0, MaxVersion), number);
        Int32(topics.Length, number);
        foreach (var topic in topics)
        {
            Int16((short)Encoding.UTF8.GetByteCount(topic.Key), number);
            stream.Write(Encoding.UTF8.GetBytes(topic.Key));
            int[] sorted = [.. topic.Order()];
            Int32(sorted.Length, number);
            foreach (var partition in sorted) Int32(partition, number);
        }
        Int32(-1, number);
        return stream.ToArray();

        void Int16(short value, Span<byte> into)
        {
            BinaryPrimitives.WriteInt16BigEndian(into, value);
            stream.Write(into[..2]);
        }

        void Int32(int value, Span<byte> into)
        {
            BinaryPrimitives.WriteInt32BigEndian(into, value);
            stream.Write(into);
        }
    }

    /// <summary>Empty when it is nothing that a consumer's assignor makes.</summary>
    public static IReadOnlyList<(string Topic, int Partition)> Read(ReadOnlyMemory<byte> assignment)
    {
        List<(string, int)> partitions = [];
        try
        {
            ConsumerSubscription.Cursor cursor = new(assignment.Span);
            cursor.Int16();
            cursor.Partitions(partitions);
            return partitions;
        }
        catch (Exception e) when (e is FormatException or ArgumentOutOfRangeException)
        {
            return [];
        }
    }
}
