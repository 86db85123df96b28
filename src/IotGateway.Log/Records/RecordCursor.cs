namespace IotGateway.Log.Records;

/// <summary>
/// Steps over uncompressed records (KIP-98): length varint, attributes i8, timestamp delta varlong, offset delta varint, key, value
/// (varint length, -1 null), header count varint, headers. Never reads outside its bytes; false where they are not a record.
/// </summary>
ref struct RecordCursor(ReadOnlySpan<byte> records)
{
    readonly ReadOnlySpan<byte> _records = records;
    int _position;

    public long TimestampDelta { get; private set; }
    public long OffsetDelta { get; private set; }
    public (int At, int Length) Key { get; private set; }
    public (int At, int Length) Value { get; private set; }
    public int HeaderCount { get; private set; }
    public int HeadersAt { get; private set; }
    public readonly int Position => _position;
    public readonly bool AtEnd => _position == _records.Length;

    public bool TryNext()
    {
        if (!Varint.TryRead(_records, ref _position, out var length) || length < 0 || length > _records.Length - _position) return false;
        var end = _position + (int)length;
        var record = _records[..end];
        if (++_position > end) return false; // attributes, unused
        if (!Varint.TryRead(record, ref _position, out var timestamp) || !Varint.TryRead(record, ref _position, out var offset)) return false;
        (TimestampDelta, OffsetDelta) = (timestamp, offset);
        if (!TryBytes(record, out var key) || !TryBytes(record, out var value)) return false;
        (Key, Value) = (key, value);
        if (!Varint.TryRead(record, ref _position, out var count) || count < 0 || count > end - _position) return false;
        HeaderCount = (int)count;
        HeadersAt = _position;
        for (; count > 0; count--)
            if (!TryBytes(record, out var name) || name.Length < 0 || !TryBytes(record, out _)) return false;
        return _position == end;
    }

    bool TryBytes(ReadOnlySpan<byte> record, out (int At, int Length) field)
    {
        field = default;
        if (!Varint.TryRead(record, ref _position, out var length) || length < -1 || length > record.Length - _position) return false;
        field = (_position, (int)length);
        if (length > 0) _position += (int)length;
        return true;
    }
}
