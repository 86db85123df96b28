namespace IotGateway.Log.Records;

/// <summary>
/// Walks the records of batches that lie back to back, as <see cref="Partition.ReadAsync"/> gives them. Compressed ones are opened as the walk goes on:
/// what is held of a batch, whatever it opens to, is at most 1 MiB or sixteen times its size and a piece of about 64 KiB, or one record where that is larger; with Zstandard
/// at most 16 MiB where it refers so far back. Who keeps a record keeps its piece. Markers are passed over. Not thread-safe; copies share their place in a compressed batch.
/// </summary>
/// <exception cref="InvalidDataException">The bytes are not whole batches, or a batch cannot be decompressed.</exception>
#pragma warning disable CA1001 // it is disposable; the rule does not see that of structs
public struct RecordReader : IDisposable
#pragma warning restore CA1001
{
    /// <summary>A decompressed batch larger than this is refused (a small batch can claim gigabytes).</summary>
    public const int MaxDecompressedBytes = 256 << 20;

    ReadOnlyMemory<byte> _rest;
    ReadOnlyMemory<byte> _records;
    RecordPieces? _pieces;
    int _position, _left;
    long _baseOffset, _baseTimestamp, _appendTime;

    /// <summary>Starts before the first record.</summary>
    public RecordReader(ReadOnlyMemory<byte> batches)
    {
        _rest = batches;
        _appendTime = -1;
    }

    /// <summary>The record stepped on.</summary>
    public Record Current { get; private set; }

    /// <summary>Steps to the next record; false after the last.</summary>
    public bool MoveNext()
    {
        while (_left == 0)
            if (!NextBatch()) return false;
        _left--;
        if (_position == _records.Length && _pieces is not null) NextPiece();
        var cursor = new RecordCursor(_records.Span[_position..]);
        if (!cursor.TryNext()) throw new InvalidDataException($"A record of the batch at offset {_baseOffset} is malformed.");
        var headers = cursor.HeaderCount == 0 ? default : new RecordHeaders(_records[(_position + cursor.HeadersAt)..], cursor.HeaderCount);
        Current = new(_baseOffset + cursor.OffsetDelta, _appendTime >= 0 ? _appendTime : _baseTimestamp + cursor.TimestampDelta,
            Field(cursor.Key), Field(cursor.Value), headers);
        _position += cursor.Position;
        return true;
    }

    /// <summary>For <c>foreach</c>.</summary>
    public readonly RecordReader GetEnumerator() => this;

    /// <summary>Gives back what the walk holds; not needed after the last record.</summary>
    public void Dispose()
    {
        _pieces?.Dispose();
        _pieces = null;
    }

    readonly ReadOnlyMemory<byte>? Field((int At, int Length) field)
        => field.Length < 0 ? default(ReadOnlyMemory<byte>?) : _records.Slice(_position + field.At, field.Length);

    bool NextBatch()
    {
        Dispose();
        if (_rest.IsEmpty) return false;
        var batch = new RecordBatch(_rest.Span);
        if (!batch.IsWhole) throw new InvalidDataException($"The batch at offset {batch.BaseOffset} is cut off or has an impossible size.");
        _baseOffset = batch.BaseOffset;
        _baseTimestamp = batch.BaseTimestamp;
        _appendTime = batch.IsLogAppendTime ? batch.MaxTimestamp : -1;
        _left = batch.IsControl ? 0 : batch.Count;
        _position = 0;
        var records = _rest[RecordBatch.HeaderSize..batch.Size];
        _rest = _rest[batch.Size..];
        _records = _left == 0 || batch.Compression != Compression.None ? default : records;
        if (_left > 0 && batch.Compression != Compression.None) _pieces = new(batch.Compression, records, MaxDecompressedBytes);
        return true;
    }

    void NextPiece()
    {
        _records = _pieces!.MoveNext() ? _pieces.Current : throw new InvalidDataException($"The batch at offset {_baseOffset} has fewer records than it says.");
        _position = 0;
    }
}
