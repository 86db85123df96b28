using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;

namespace IotGateway.Log.Records;

/// <summary>
/// Builds one v2 batch, record by record, into a buffer it keeps: no allocation per record once the buffer has grown. Not thread-safe.
/// The bytes handed out by <see cref="Build"/> are valid until the next <see cref="Clear"/> or <see cref="Add(long, ReadOnlySpan{byte}, ReadOnlySpan{byte}, bool, bool)"/>.
/// </summary>
public sealed class RecordBatchBuilder(int capacity = 4096)
{
    const long NoProducer = -1;

    byte[] _buffer = new byte[Math.Max(capacity, RecordBatch.HeaderSize)];
    int _length = RecordBatch.HeaderSize;
    long _baseTimestamp, _maxTimestamp, _maxBefore;
    int _lastStart;

    /// <summary>Records added.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of the batch so far.</summary>
    public int Size => _length;

    /// <summary>Producer id of the batch, -1 for none.</summary>
    public long ProducerId { get; set; } = NoProducer;

    /// <summary>Producer epoch of the batch, -1 for none.</summary>
    public short ProducerEpoch { get; set; } = -1;

    /// <summary>Sequence of its first record, -1 for none.</summary>
    public int BaseSequence { get; set; } = -1;

    /// <summary>Adds a record without headers.</summary>
    /// <param name="timestamp">Milliseconds since 1970.</param>
    /// <param name="key">Key; looked at only when <paramref name="hasKey"/>.</param>
    /// <param name="value">Value; looked at only when <paramref name="hasValue"/>.</param>
    /// <param name="hasKey">Whether there is a key.</param>
    /// <param name="hasValue">Whether there is a value (else it is a tombstone).</param>
    public void Add(long timestamp, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, bool hasKey = true, bool hasValue = true)
        => Add(timestamp, key, value, default, hasKey, hasValue);

    /// <summary>Adds a record with headers; null key or value allowed.</summary>
    // Preferred, or a literal null would be taken for an empty span.
    [OverloadResolutionPriority(1)]
    public void Add(long timestamp, ReadOnlyMemory<byte>? key, ReadOnlyMemory<byte>? value,
        ReadOnlySpan<KeyValuePair<string, ReadOnlyMemory<byte>?>> headers = default)
        => Add(timestamp, (key ?? default).Span, (value ?? default).Span, headers, key is not null, value is not null);

    /// <summary>Adds a record with headers.</summary>
    public void Add(long timestamp, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value,
        ReadOnlySpan<KeyValuePair<string, ReadOnlyMemory<byte>?>> headers, bool hasKey, bool hasValue)
    {
        if (Count == 0) _baseTimestamp = _maxTimestamp = timestamp;
        _maxBefore = _maxTimestamp;
        _maxTimestamp = Math.Max(_maxTimestamp, timestamp);
        var delta = timestamp - _baseTimestamp;

        var size = 1 + Varint.Size(delta) + Varint.Size(Count) + FieldSize(key, hasKey) + FieldSize(value, hasValue) + Varint.Size(headers.Length);
        foreach (var header in headers) size += HeaderSize(header);
        _lastStart = _length;
        Grow(size + Varint.Size(size));

        Number(size);
        _buffer[_length++] = 0; // attributes: none defined
        Number(delta);
        Number(Count);
        Field(key, hasKey);
        Field(value, hasValue);
        Number(headers.Length);
        foreach (var header in headers)
        {
            var name = Encoding.UTF8.GetByteCount(header.Key);
            Number(name);
            _length += Encoding.UTF8.GetBytes(header.Key, _buffer.AsSpan(_length));
            Field((header.Value ?? default).Span, header.Value is not null);
        }
        Count++;
    }

    /// <summary>Takes the last added record back (it made the batch too large).</summary>
    public void RemoveLast()
    {
        if (Count == 0) throw new InvalidOperationException("The batch is empty.");
        if (_lastStart == _length) throw new InvalidOperationException("Only the last record can be taken back.");
        _length = _lastStart;
        _maxTimestamp = _maxBefore;
        Count--;
    }

    /// <summary>The finished batch, header and checksum included; more records may be added and it be built again.</summary>
    /// <exception cref="InvalidOperationException">There is no record: Kafka knows no empty batches from producers.</exception>
    public ReadOnlyMemory<byte> Build()
    {
        if (Count == 0) throw new InvalidOperationException("A record batch needs a record.");
        var batch = _buffer.AsSpan(0, _length);
        BinaryPrimitives.WriteInt64BigEndian(batch, 0);
        BinaryPrimitives.WriteInt32BigEndian(batch[RecordBatch.LengthAt..], _length - RecordBatch.LengthOverhead);
        BinaryPrimitives.WriteInt32BigEndian(batch[RecordBatch.EpochAt..], -1);
        batch[RecordBatch.MagicAt] = 2;
        BinaryPrimitives.WriteInt16BigEndian(batch[RecordBatch.AttributesAt..], 0);
        BinaryPrimitives.WriteInt32BigEndian(batch[RecordBatch.LastDeltaAt..], Count - 1);
        BinaryPrimitives.WriteInt64BigEndian(batch[RecordBatch.BaseTimestampAt..], _baseTimestamp);
        BinaryPrimitives.WriteInt64BigEndian(batch[RecordBatch.MaxTimestampAt..], _maxTimestamp);
        BinaryPrimitives.WriteInt64BigEndian(batch[RecordBatch.ProducerIdAt..], ProducerId);
        BinaryPrimitives.WriteInt16BigEndian(batch[RecordBatch.ProducerEpochAt..], ProducerEpoch);
        BinaryPrimitives.WriteInt32BigEndian(batch[RecordBatch.SequenceAt..], BaseSequence);
        BinaryPrimitives.WriteInt32BigEndian(batch[RecordBatch.CountAt..], Count);
        RecordBatch.Seal(batch);
        return _buffer.AsMemory(0, _length);
    }

    /// <summary>A batch without records that holds offsets: compaction leaves such, and so does what is done about lost ones. Readers pass it.</summary>
    internal static byte[] Empty(int lastOffsetDelta)
    {
        var batch = new byte[RecordBatch.HeaderSize];
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(RecordBatch.LengthAt), batch.Length - RecordBatch.LengthOverhead);
        batch[RecordBatch.MagicAt] = 2;
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(RecordBatch.LastDeltaAt), lastOffsetDelta);
        // -1: no timestamps, no producer. The count is 0.
        batch.AsSpan(RecordBatch.BaseTimestampAt, RecordBatch.CountAt - RecordBatch.BaseTimestampAt).Fill(0xFF);
        RecordBatch.Seal(batch);
        return batch;
    }

    /// <summary>Empties it; the buffer is kept, the producer's fields too.</summary>
    public void Clear()
    {
        _length = RecordBatch.HeaderSize;
        Count = 0;
    }

    static int FieldSize(ReadOnlySpan<byte> field, bool present) => present ? Varint.Size(field.Length) + field.Length : 1;

    static int HeaderSize(KeyValuePair<string, ReadOnlyMemory<byte>?> header)
    {
        var name = Encoding.UTF8.GetByteCount(header.Key);
        return Varint.Size(name) + name + FieldSize((header.Value ?? default).Span, header.Value is not null);
    }

    void Number(long value) => _length += Varint.Write(_buffer.AsSpan(_length), value);

    void Field(ReadOnlySpan<byte> field, bool present)
    {
        Number(present ? field.Length : -1);
        if (!present) return;
        field.CopyTo(_buffer.AsSpan(_length));
        _length += field.Length;
    }

    void Grow(int more)
    {
        if (_buffer.Length - _length < more) Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + more));
    }
}
