using System.Buffers.Binary;

namespace IotGateway.Log.Records;

/// <summary>What the log writes into a batch it takes in: the only bytes it changes.</summary>
static class BatchStamp
{
    /// <param name="batch">The batch, whole and checked.</param>
    /// <param name="baseOffset">Offset of its first record.</param>
    /// <param name="epoch">Leader epoch.</param>
    /// <param name="appendTime">The log's own time for all its records, or -1 to keep the producer's.</param>
    /// <param name="maxTimestamp">The true greatest timestamp where the header says another, else null.</param>
    public static void Apply(Span<byte> batch, long baseOffset, int epoch, long appendTime, long? maxTimestamp)
    {
        BinaryPrimitives.WriteInt64BigEndian(batch, baseOffset);
        BinaryPrimitives.WriteInt32BigEndian(batch[RecordBatch.EpochAt..], epoch);
        var attributes = BinaryPrimitives.ReadInt16BigEndian(batch[RecordBatch.AttributesAt..]);
        var stamped = (attributes & RecordBatch.LogAppendTimeBit) != 0;
        if (appendTime < 0 && !stamped && maxTimestamp is null) return;
        // A producer may not claim the log's clock where the topic keeps the producer's.
        attributes = (short)(appendTime >= 0 ? attributes | RecordBatch.LogAppendTimeBit : attributes & ~RecordBatch.LogAppendTimeBit);
        BinaryPrimitives.WriteInt16BigEndian(batch[RecordBatch.AttributesAt..], attributes);
        if (appendTime >= 0) maxTimestamp = appendTime;
        if (maxTimestamp is { } greatest) BinaryPrimitives.WriteInt64BigEndian(batch[RecordBatch.MaxTimestampAt..], greatest);
        RecordBatch.Seal(batch);
    }
}
