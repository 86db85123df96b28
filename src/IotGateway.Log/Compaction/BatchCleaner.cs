using System.Buffers.Binary;
using IotGateway.Log.Bytes;
using IotGateway.Log.Records;

namespace IotGateway.Log.Compaction;

/// <summary>
/// Decides what of a batch stays, and writes the batch anew when that is not all of it: same offsets, producer and sequences, uncompressed. The first
/// time tombstones pass, the batch gets its delete horizon (KIP-534: attribute bit 6, base timestamp = horizon); behind it they go. Not thread-safe.
/// </summary>
sealed class BatchCleaner(OffsetMap map, long now, long deleteRetention)
{
    const int HorizonBit = 0x40, CompressionBits = 7;

    readonly ByteWriter _records = new(4096);
    readonly byte[] _number = new byte[10];

    /// <summary>What is to be written for the batch: it, a smaller one, or nothing.</summary>
    /// <param name="bytes">The batch.</param>
    /// <param name="keepEmpty">Whether its header stays though no record does: it is its producer's last.</param>
    /// <param name="aborted">Whether its transaction was: none of its records stays.</param>
    public ReadOnlyMemory<byte> Clean(ReadOnlyMemory<byte> bytes, bool keepEmpty, bool aborted = false)
    {
        var batch = new RecordBatch(bytes.Span);
        if (batch.Count == 0) return keepEmpty ? bytes : default;
        if (aborted) return keepEmpty ? Empty(bytes.Span[..RecordBatch.HeaderSize]) : default;
        var records = Decompressor.Open(batch.Compression, bytes[RecordBatch.HeaderSize..batch.Size], RecordReader.MaxDecompressedBytes).Span;
        var horizon = (batch.Attributes & HorizonBit) != 0 ? batch.BaseTimestamp : -1;
        var (kept, tombstones) = Count(batch, records, horizon);
        if (kept == batch.Count && (tombstones == 0 || horizon >= 0)) return bytes;
        if (kept == 0) return keepEmpty ? Empty(bytes.Span[..RecordBatch.HeaderSize]) : default;
        if (tombstones > 0 && horizon < 0) horizon = Horizon;
        return Rewrite(batch, bytes.Span[..RecordBatch.HeaderSize], records, tombstones > 0 ? horizon : -1, kept);
    }

    /// <summary>What is to be written for a marker: it, it with a delete horizon once its transaction has no batch left, or behind that nothing.</summary>
    public ReadOnlyMemory<byte> CleanMarker(ReadOnlyMemory<byte> bytes, bool spent)
    {
        var batch = new RecordBatch(bytes.Span);
        if (!spent) return bytes;
        if ((batch.Attributes & HorizonBit) != 0) return now <= batch.BaseTimestamp ? bytes : default;
        return Rewrite(batch, bytes.Span[..RecordBatch.HeaderSize], batch.Records, Horizon, batch.Count);
    }

    long Horizon => deleteRetention > long.MaxValue - now ? long.MaxValue : now + deleteRetention;

    (int Kept, int Tombstones) Count(in RecordBatch batch, ReadOnlySpan<byte> records, long horizon)
    {
        var (kept, tombstones) = (0, 0);
        var cursor = new RecordCursor(records);
        for (var left = batch.Count; left > 0; left--)
        {
            if (!cursor.TryNext()) throw new InvalidDataException($"A record of the batch at offset {batch.BaseOffset} is malformed.");
            if (!Stays(batch, cursor, records, horizon)) continue;
            kept++;
            if (cursor.Value.Length < 0) tombstones++;
        }
        return (kept, tombstones);
    }

    // Without a key nothing can ever replace it: such records do not belong here and go, as in Kafka.
    bool Stays(in RecordBatch batch, in RecordCursor cursor, ReadOnlySpan<byte> records, long horizon)
        => cursor.Key.Length >= 0
            && map.Last(OffsetMap.Hash(records.Slice(cursor.Key.At, cursor.Key.Length))) <= batch.BaseOffset + cursor.OffsetDelta
            && (cursor.Value.Length >= 0 || horizon < 0 || now <= horizon);

    ReadOnlyMemory<byte> Rewrite(in RecordBatch batch, ReadOnlySpan<byte> header, ReadOnlySpan<byte> records, long horizon, int kept)
    {
        var oldHorizon = (batch.Attributes & HorizonBit) != 0 ? batch.BaseTimestamp : -1;
        var baseTime = horizon >= 0 ? horizon : batch.BaseTimestamp;
        var maxTime = long.MinValue;
        _records.MoveTo(0);
        _records.Raw(header);
        var cursor = new RecordCursor(records);
        for (var left = batch.Count; left > 0 && cursor.TryNext(); left--)
        {
            if (!batch.IsControl && !Stays(batch, cursor, records, oldHorizon)) continue;
            var time = batch.BaseTimestamp + cursor.TimestampDelta;
            maxTime = Math.Max(maxTime, time);
            var value = cursor.Value;
            var key = records.Slice(cursor.Key.At, cursor.Key.Length);
            var headers = records[cursor.HeadersAt..cursor.Position];
            var size = 1 + Varint.Size(time - baseTime) + Varint.Size(cursor.OffsetDelta) + Varint.Size(key.Length) + key.Length
                + Varint.Size(value.Length) + Math.Max(value.Length, 0) + Varint.Size(cursor.HeaderCount) + headers.Length;
            Number(size);
            _records.Byte(0); // attributes: none defined
            Number(time - baseTime);
            Number(cursor.OffsetDelta);
            Number(key.Length);
            _records.Raw(key);
            Number(value.Length);
            if (value.Length > 0) _records.Raw(records.Slice(value.At, value.Length));
            Number(cursor.HeaderCount);
            _records.Raw(headers);
        }
        var written = _records.At(0, _records.Length);
        var attributes = batch.Attributes & ~(CompressionBits | HorizonBit) | (horizon >= 0 ? HorizonBit : 0);
        BinaryPrimitives.WriteInt32BigEndian(written[RecordBatch.LengthAt..], written.Length - RecordBatch.LengthOverhead);
        BinaryPrimitives.WriteInt16BigEndian(written[RecordBatch.AttributesAt..], (short)attributes);
        BinaryPrimitives.WriteInt64BigEndian(written[RecordBatch.BaseTimestampAt..], baseTime);
        if (!batch.IsLogAppendTime) BinaryPrimitives.WriteInt64BigEndian(written[RecordBatch.MaxTimestampAt..], maxTime);
        BinaryPrimitives.WriteInt32BigEndian(written[RecordBatch.CountAt..], kept);
        RecordBatch.Seal(written);
        return _records.Written;
    }

    static byte[] Empty(ReadOnlySpan<byte> header)
    {
        var empty = header.ToArray();
        var attributes = new RecordBatch(header).Attributes & ~(CompressionBits | HorizonBit);
        BinaryPrimitives.WriteInt32BigEndian(empty.AsSpan(RecordBatch.LengthAt), RecordBatch.HeaderSize - RecordBatch.LengthOverhead);
        BinaryPrimitives.WriteInt16BigEndian(empty.AsSpan(RecordBatch.AttributesAt), (short)attributes);
        BinaryPrimitives.WriteInt32BigEndian(empty.AsSpan(RecordBatch.CountAt), 0);
        RecordBatch.Seal(empty);
        return empty;
    }

    void Number(long value) => _records.Raw(_number.AsSpan(0, Varint.Write(_number, value)));
}
