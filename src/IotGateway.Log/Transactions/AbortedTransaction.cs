using System.Buffers.Binary;

namespace IotGateway.Log.Transactions;

/// <summary>
/// A transaction that was aborted in a partition: the producer's records from its first offset up to the marker are nobody's.
/// </summary>
/// <param name="ProducerId">Whose.</param>
/// <param name="FirstOffset">Offset of its first record.</param>
/// <param name="LastOffset">Offset of the abort marker.</param>
/// <param name="LastStableOffset">The partition's, once this one was decided.</param>
public readonly record struct AbortedTransaction(long ProducerId, long FirstOffset, long LastOffset, long LastStableOffset)
{
    /// <summary>Bytes of an entry of Kafka's <c>.txnindex</c>: version i16 = 0, then the four numbers i64, big-endian.</summary>
    internal const int EntrySize = 34;

    internal void WriteEntry(Span<byte> to)
    {
        BinaryPrimitives.WriteInt16BigEndian(to, 0);
        BinaryPrimitives.WriteInt64BigEndian(to[2..], ProducerId);
        BinaryPrimitives.WriteInt64BigEndian(to[10..], FirstOffset);
        BinaryPrimitives.WriteInt64BigEndian(to[18..], LastOffset);
        BinaryPrimitives.WriteInt64BigEndian(to[26..], LastStableOffset);
    }
}
