using System.Buffers.Binary;
using IotGateway.Log.Bytes;
using IotGateway.Log.Records;

namespace IotGateway.Log.Compaction;

/// <summary>
/// Decides what of a batch stays, and writes the batch anew when that is not all of it: same offsets, producer and sequences, uncompressed. The first
/// time tombstones pass, the batch gets its delete horizon (KIP-534: attribute bit 6, base timestamp = horizon); behind it they go. A compressed batch of
/// which more stays than may be held at once (<see cref="Decompressor.Memory"/>) is left as it is until less does. Not thread-safe.
/// </summary>
sealed class BatchCleaner(OffsetMap map, long now, long deleteRetention)
{
    const int HorizonBit = 0x40, CompressionBits = 7;
    const int MostKept = 2 << 20; // of a buffer that grew

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
        var records = bytes[RecordBatch.HeaderSize..batch.Size];
        var horizon = (batch.Attributes & HorizonBit) != 0 ? batch.BaseTimestamp : -1;
        var (kept, tombstones, size) = Count(batch, records, horizon);
        if (kept == batch.Count && (tombstones == 0 || horizon >= 0)) return bytes;
        if (kept == 0) return keepEmpty ? Empty(bytes.Span[..RecordBatch.HeaderSize]) : default;
        if (batch.Compression != Compression.None && size > Decompressor.Memory(bytes.Length)) return bytes;
        if (tombstones > 0 && horizon < 0) horizon = Horizon;
        return Rewrite(batch, bytes.Span[..RecordBatch.HeaderSize], records, tombstones > 0 ? horizon : -1, kept);
    }

    /// <summary>What is to be written for a marker: it, it with a delete horizon once its transaction has no batch left, or behind that nothing.</summary>
    public ReadOnlyMemory<byte> CleanMarker(ReadOnlyMemory<byte> bytes, bool spent)
    {
        var batch = new RecordBatch(bytes.Span);
        if (!spent) return bytes;
        if ((batch.Attributes & HorizonBit) != 0) return now <= batch.BaseTimestamp ? bytes : default;
        return Rewrite(batch, bytes.Span[..RecordBatch.HeaderSize], bytes[RecordBatch.HeaderSize..batch.Size], Horizon, batch.Count);
    }

    long Horizon => deleteRetention > long.MaxValue - now ? long.MaxValue : now + deleteRetention;

    (int Kept, int Tombstones, long Size) Count(in RecordBatch batch, ReadOnlyMemory<byte> records, long horizon)
    {
        var (kept, tombstones, size) = (0, 0, 0L);
        using var pieces = new RecordPieces(batch.Compression, records, RecordReader.MaxDecompressedBytes, reuse: true);
        for (var left = batch.Count; left > 0;)
        {
            if (!pieces.MoveNext()) throw Malformed(batch);
            var piece = pieces.Current.Span;
            var cursor = new RecordCursor(piece);
            for (; left > 0 && !cursor.AtEnd; left--)
            {
                var start = cursor.Position;
                if (!cursor.TryNext()) throw Malformed(batch);
                if (!Stays(batch, cursor, piece, horizon)) continue;
                kept++;
                size += cursor.Position - start;
                if (cursor.Value.Length < 0) tombstones++;
            }
        }
        return (kept, tombstones, size);
    }

    static InvalidDataException Malformed(in RecordBatch batch) => new($"A record of the batch at offset {batch.BaseOffset} is malformed.");

    // Without a key nothing can ever replace it: such records do not belong here and go, as in Kafka.
    bool Stays(in RecordBatch batch, in RecordCursor cursor, ReadOnlySpan<byte> records, long horizon)
        => cursor.Key.Length >= 0
            && map.Last(OffsetMap.Hash(records.Slice(cursor.Key.At, cursor.Key.Length))) <= batch.BaseOffset + cursor.OffsetDelta
            && (cursor.Value.Length >= 0 || horizon < 0 || now <= horizon);

    ReadOnlyMemory<byte> Rewrite(in RecordBatch batch, ReadOnlySpan<byte> header, ReadOnlyMemory<byte> records, long horizon, int kept)
    {
        var oldHorizon = (batch.Attributes & HorizonBit) != 0 ? batch.BaseTimestamp : -1;
        var baseTime = horizon >= 0 ? horizon : batch.BaseTimestamp;
        var maxTime = long.MinValue;
        _records.Trim(MostKept);
        _records.Raw(header);
        using var pieces = new RecordPieces(batch.Compression, records, RecordReader.MaxDecompressedBytes, reuse: true);
        for (var left = batch.Count; left > 0 && pieces.MoveNext();)
        {
            var piece = pieces.Current.Span;
            for (var cursor = new RecordCursor(piece); left > 0 && cursor.TryNext(); left--)
            {
                if (!batch.IsControl && !Stays(batch, cursor, piece, oldHorizon)) continue;
                maxTime = Math.Max(maxTime, batch.BaseTimestamp + cursor.TimestampDelta);
                Add(cursor, piece, batch.BaseTimestamp + cursor.TimestampDelta - baseTime);
            }
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

    void Add(in RecordCursor record, ReadOnlySpan<byte> records, long timestampDelta)
    {
        var value = record.Value;
        var key = records.Slice(record.Key.At, record.Key.Length);
        var headers = records[record.HeadersAt..record.Position];
        var size = 1 + Varint.Size(timestampDelta) + Varint.Size(record.OffsetDelta) + Varint.Size(key.Length) + key.Length
            + Varint.Size(value.Length) + Math.Max(value.Length, 0) + Varint.Size(record.HeaderCount) + headers.Length;
        Number(size);
        _records.Byte(0); // attributes: none defined
        Number(timestampDelta);
        Number(record.OffsetDelta);
        Number(key.Length);
        _records.Raw(key);
        Number(value.Length);
        if (value.Length > 0) _records.Raw(records.Slice(value.At, value.Length));
        Number(record.HeaderCount);
        _records.Raw(headers);
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
