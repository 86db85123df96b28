using System.Buffers.Binary;
using IotGateway.Log.Records;

namespace IotGateway.Log.Transactions;

/// <summary>
/// The control batch that ends a transaction in a partition (KIP-98): one record, key = version i16, type i16 (0 abort, 1 commit);
/// value = version i16, coordinator epoch i32; big-endian.
/// </summary>
static class Marker
{
    /// <summary>There is one coordinator, and it is never replaced.</summary>
    public const int CoordinatorEpoch = 0;
    public const int Size = RecordBatch.HeaderSize + RecordSize;

    const int RecordSize = 17, KeySize = 4, ValueSize = 6, Abort = 0, Commit = 1;

    public static byte[] Build(long producerId, short epoch, bool commit, long time)
    {
        var batch = new byte[Size];
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(RecordBatch.LengthAt), Size - RecordBatch.LengthOverhead);
        batch[RecordBatch.MagicAt] = 2;
        BinaryPrimitives.WriteInt16BigEndian(batch.AsSpan(RecordBatch.AttributesAt), RecordBatch.TransactionalBit | RecordBatch.ControlBit);
        BinaryPrimitives.WriteInt64BigEndian(batch.AsSpan(RecordBatch.BaseTimestampAt), time);
        BinaryPrimitives.WriteInt64BigEndian(batch.AsSpan(RecordBatch.MaxTimestampAt), time);
        BinaryPrimitives.WriteInt64BigEndian(batch.AsSpan(RecordBatch.ProducerIdAt), producerId);
        BinaryPrimitives.WriteInt16BigEndian(batch.AsSpan(RecordBatch.ProducerEpochAt), epoch);
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(RecordBatch.SequenceAt), -1);
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(RecordBatch.CountAt), 1);

        var record = batch.AsSpan(RecordBatch.HeaderSize);
        var at = Varint.Write(record, RecordSize - 1);
        at += 3; // attributes, timestamp delta, offset delta: all 0
        at += Varint.Write(record[at..], KeySize);
        BinaryPrimitives.WriteInt16BigEndian(record[(at + 2)..], commit ? (short)Commit : (short)Abort);
        at += KeySize;
        at += Varint.Write(record[at..], ValueSize);
        BinaryPrimitives.WriteInt32BigEndian(record[(at + 2)..], CoordinatorEpoch);
        RecordBatch.Seal(batch);
        return batch;
    }

    /// <summary>Whether the control batch commits.</summary>
    public static bool Commits(in RecordBatch batch)
    {
        var record = new RecordCursor(batch.Records);
        return record.TryNext() && record.Key.Length >= KeySize
            && BinaryPrimitives.ReadInt16BigEndian(batch.Records[(record.Key.At + 2)..]) == Commit;
    }
}
