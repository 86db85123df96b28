using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.EventLog;

/// <summary>
/// What is to be written in one atomic step: records to topics by name, and table entries. All bytes lie in one buffer that
/// grows and is reused, so that a steady stream allocates nothing per record. Not thread-safe; reusable after <see cref="Clear"/>.
/// </summary>
/// <remarks>
/// A record is written as <see cref="Begin"/>, then in any order <see cref="Key"/>, headers and value, then <see cref="End"/>.
/// A value is given at once or written through <see cref="IBufferWriter{T}"/> after <see cref="BeginValue"/>.
/// </remarks>
public sealed class EventUnit : IBufferWriter<byte>
{
    const int KeptBytes = 1 << 20; // a unit that once held a giant does not keep its buffer
    readonly List<RecordEntry> _records = [];
    readonly List<HeaderEntry> _headers = [];
    readonly List<PutEntry> _puts = [];
    byte[] _buffer = new byte[4096];
    int _used, _valueStart = -1;
    RecordEntry _open;

    /// <summary>May use the space kept for outcomes, gaps and positions when the disk is full.</summary>
    public bool Reserved { get; set; }

    /// <summary>Priority of topics that have to be made for it.</summary>
    public Lane Lane { get; set; } = Lane.Normal;

    /// <summary>On whose behalf its records are written, kept beside them for <see cref="IEventLog.OriginOf"/>; null keeps nothing.</summary>
    public string? Origin { get; set; }

    /// <summary>Bytes held.</summary>
    public int Bytes => _used;

    /// <summary>Whether there is nothing to write.</summary>
    public bool IsEmpty => _records.Count == 0 && _puts.Count == 0;

    /// <summary>Number of records.</summary>
    public int Count => _records.Count;

    /// <summary>The records, in order.</summary>
    public ReadOnlySpan<RecordEntry> Records => CollectionsMarshal.AsSpan(_records);

    /// <summary>The table changes, in order.</summary>
    public ReadOnlySpan<PutEntry> Puts => CollectionsMarshal.AsSpan(_puts);

    /// <summary>Bytes at a place; null for an absent one (a bare null would become empty memory).</summary>
    public ReadOnlyMemory<byte>? At(Place place) => place.Length < 0 ? (ReadOnlyMemory<byte>?)null : _buffer.AsMemory(place.Start, place.Length);

    /// <summary>Bytes at a place that is there.</summary>
    public ReadOnlySpan<byte> SpanAt(Place place) => _buffer.AsSpan(place.Start, place.Length);

    /// <summary>The headers of a record.</summary>
    public ReadOnlySpan<HeaderEntry> HeadersOf(in RecordEntry record)
        => CollectionsMarshal.AsSpan(_headers).Slice(record.FirstHeader, record.HeaderCount);

    /// <summary>Starts a record.</summary>
    /// <param name="topic">A name Kafka allows.</param>
    /// <param name="timestamp">Milliseconds since 1970 UTC.</param>
    public void Begin(string topic, long timestamp)
        => _open = new(topic, timestamp, Place.None, Place.None, _headers.Count, 0);

    /// <summary>Sets the key.</summary>
    public void Key(ReadOnlySpan<byte> key) => _open = _open with { Key = Copy(key) };

    /// <summary>Adds a header.</summary>
    public void Header(string name, ReadOnlySpan<byte> value) => _headers.Add(new(name, Copy(value)));

    /// <summary>Adds a header of text.</summary>
    public void Header(string name, string value) => _headers.Add(new(name, CopyText(value)));

    /// <summary>Adds a header whose value may be null.</summary>
    public void Header(string name, ReadOnlyMemory<byte>? value) => _headers.Add(new(name, value is { } v ? Copy(v.Span) : Place.None));

    /// <summary>Sets the value; without it the record is a tombstone.</summary>
    public void Value(ReadOnlySpan<byte> value) => _open = _open with { Value = Copy(value) };

    /// <summary>Starts a value that is then written through <see cref="IBufferWriter{T}"/>, up to <see cref="EndValue"/>.</summary>
    public void BeginValue() => _valueStart = _used;

    /// <summary>Ends the value begun.</summary>
    public void EndValue()
    {
        _open = _open with { Value = new(_valueStart, _used - _valueStart) };
        _valueStart = -1;
    }

    /// <summary>Bytes of the open record's key and value.</summary>
    public int OpenBytes => Math.Max(0, _open.Key.Length) + Math.Max(0, _open.Value.Length);

    /// <summary>Sends the open record to another topic.</summary>
    public void Redirect(string topic) => _open = _open with { Topic = topic };

    /// <summary>Ends the record.</summary>
    public void End() => _records.Add(_open with { HeaderCount = _headers.Count - _open.FirstHeader });

    /// <summary>Sets a table's entry.</summary>
    public void Put(string table, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => _puts.Add(new(table, Copy(key), Copy(value)));

    /// <summary>Deletes a table's entry.</summary>
    public void Delete(string table, ReadOnlySpan<byte> key) => _puts.Add(new(table, Copy(key), Place.None));

    /// <summary>Empties it for reuse.</summary>
    public void Clear()
    {
        _records.Clear();
        _headers.Clear();
        _puts.Clear();
        _used = 0;
        Reserved = false;
        Origin = null;
        Lane = Lane.Normal;
        if (_buffer.Length > KeptBytes) _buffer = new byte[4096];
    }

    /// <inheritdoc/>
    public void Advance(int count) => _used += count;

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 256));
        return _buffer.AsMemory(_used);
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 256));
        return _buffer.AsSpan(_used);
    }

    Place Copy(ReadOnlySpan<byte> bytes)
    {
        Reserve(bytes.Length);
        bytes.CopyTo(_buffer.AsSpan(_used));
        var place = new Place(_used, bytes.Length);
        _used += bytes.Length;
        return place;
    }

    Place CopyText(string text)
    {
        Reserve(Encoding.UTF8.GetMaxByteCount(text.Length));
        var place = new Place(_used, Encoding.UTF8.GetBytes(text, _buffer.AsSpan(_used)));
        _used += place.Length;
        return place;
    }

    void Reserve(int bytes)
    {
        if (_buffer.Length - _used < bytes) Array.Resize(ref _buffer, checked((int)Math.Min(Array.MaxLength, Math.Max(2L * _buffer.Length, (long)_used + bytes))));
    }
}

/// <summary>A stretch of a unit's buffer; a negative length means absent.</summary>
public readonly record struct Place(int Start, int Length)
{
    /// <summary>Absent.</summary>
    public static Place None { get; } = new(0, -1);
}

/// <summary>A record of a unit.</summary>
public readonly record struct RecordEntry(string Topic, long Timestamp, Place Key, Place Value, int FirstHeader, int HeaderCount);

/// <summary>A header of a unit's record.</summary>
public readonly record struct HeaderEntry(string Name, Place Value);

/// <summary>A table change of a unit; an absent value deletes.</summary>
public readonly record struct PutEntry(string Table, Place Key, Place Value);
