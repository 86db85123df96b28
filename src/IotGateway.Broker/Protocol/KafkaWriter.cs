using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace IotGateway.Broker.Protocol;

/// <summary>
/// Builds one frame in a pooled buffer. Large byte fields (record batches) are not copied but remembered by reference and must stay
/// unchanged until <see cref="CopyTo"/>. Not thread-safe; dispose to give the buffer back.
/// </summary>
internal sealed class KafkaWriter : IDisposable
{
    const int ByReference = 1024;
    byte[] _buffer;
    int _at;
    List<(int At, ReadOnlyMemory<byte> Data)>? _references;
    long _referenced;

    public KafkaWriter(int capacity = 512) => _buffer = ArrayPool<byte>.Shared.Rent(capacity);

    /// <summary>Called once when this is disposed: the memory it refers to is no longer in use.</summary>
    public Action? Released { get; set; }

    /// <summary>Bytes written so far.</summary>
    public long Length => _at + _referenced;

    /// <summary>Those of them that are not remembered by reference.</summary>
    public int Buffered => _at;

    public void WriteBool(bool value) => Next(1)[0] = value ? (byte)1 : (byte)0;

    public void WriteInt8(sbyte value) => Next(1)[0] = (byte)value;

    public void WriteInt16(short value) => BinaryPrimitives.WriteInt16BigEndian(Next(2), value);

    public void WriteUInt16(ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Next(2), value);

    public void WriteInt32(int value) => BinaryPrimitives.WriteInt32BigEndian(Next(4), value);

    public void WriteInt64(long value) => BinaryPrimitives.WriteInt64BigEndian(Next(8), value);

    public void WriteFloat64(double value) => BinaryPrimitives.WriteDoubleBigEndian(Next(8), value);

    public void WriteUuid(Guid value) => value.TryWriteBytes(Next(16), bigEndian: true, out _);

    public void WriteUnsignedVarint(uint value)
    {
        while (value >= 0x80)
        {
            Next(1)[0] = (byte)(value | 0x80);
            value >>= 7;
        }
        Next(1)[0] = (byte)value;
    }

    public void WriteString(string? value, bool flexible, bool nullable)
    {
        if (value is null)
        {
            WriteNull(flexible, nullable, wide: false);
            return;
        }
        var length = Encoding.UTF8.GetByteCount(value);
        if (flexible) WriteUnsignedVarint((uint)length + 1);
        else if (length <= short.MaxValue) WriteInt16((short)length);
        else throw new InvalidOperationException($"A string of {length} bytes does not fit this version's 32767.");
        Encoding.UTF8.GetBytes(value, Next(length));
    }

    public void WriteBytes(ReadOnlyMemory<byte>? value, bool flexible, bool nullable)
    {
        if (value is not { } data)
        {
            WriteNull(flexible, nullable, wide: true);
            return;
        }
        WriteLength(data.Length, flexible);
        if (data.Length < ByReference)
        {
            data.Span.CopyTo(Next(data.Length));
            return;
        }
        (_references ??= []).Add((_at, data));
        _referenced += data.Length;
    }

    public void WriteStructs<T>(List<T>? value, short version, bool flexible, bool nullable) where T : IKafkaStruct<T>
    {
        if (!StartArray(value, flexible, nullable)) return;
        foreach (var item in value!) item.Write(this, version);
    }

    public void WriteNullableStruct<T>(T? value, short version, bool nullable) where T : class, IKafkaStruct<T>
    {
        if (nullable) WriteInt8(value is null ? (sbyte)-1 : (sbyte)1);
        if (value is null && !nullable) throw new InvalidOperationException($"A {typeof(T).Name} may not be null in this version.");
        value?.Write(this, version);
    }

    public void WriteInt32s(List<int>? value, bool flexible, bool nullable)
    {
        if (!StartArray(value, flexible, nullable)) return;
        foreach (var item in value!) WriteInt32(item);
    }

    public void WriteInt64s(List<long>? value, bool flexible, bool nullable)
    {
        if (!StartArray(value, flexible, nullable)) return;
        foreach (var item in value!) WriteInt64(item);
    }

    public void WriteInt8s(List<sbyte>? value, bool flexible, bool nullable)
    {
        if (!StartArray(value, flexible, nullable)) return;
        foreach (var item in value!) WriteInt8(item);
    }

    public void WriteStrings(List<string>? value, bool flexible, bool nullable)
    {
        if (!StartArray(value, flexible, nullable)) return;
        foreach (var item in value!) WriteString(item, flexible, false);
    }

    public void WriteNoTags() => Next(1)[0] = 0;

    /// <summary>Starts a tagged field; its size is put in by <see cref="EndTag"/>.</summary>
    public int BeginTag(uint tag)
    {
        WriteUnsignedVarint(tag);
        return _at;
    }

    /// <summary>Ends the tagged field started at <paramref name="mark"/>: moves it up to make room for its size.</summary>
    public void EndTag(int mark)
    {
        if (_references is { } list && list.Count > 0 && list[^1].At > mark) throw new InvalidOperationException("Records cannot be in a tagged field.");
        var size = _at - mark;
        WriteUnsignedVarint((uint)size);
        var prefix = _at - mark - size;
        _buffer.AsSpan(mark, size).CopyTo(_buffer.AsSpan(mark + prefix));
        _at = mark;
        WriteUnsignedVarint((uint)size);
        _at = mark + prefix + size;
    }

    /// <summary>Overwrites four bytes written earlier, such as the frame's length.</summary>
    public void PatchInt32(int at, int value) => BinaryPrimitives.WriteInt32BigEndian(_buffer.AsSpan(at, 4), value);

    /// <summary>Copies everything to the output.</summary>
    public void CopyTo(IBufferWriter<byte> output)
    {
        var from = 0;
        foreach (var (at, data) in _references ?? [])
        {
            output.Write(_buffer.AsSpan(from, at - from));
            output.Write(data.Span);
            from = at;
        }
        output.Write(_buffer.AsSpan(from, _at - from));
    }

    /// <summary>Everything, piece by piece.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> Segments()
    {
        var from = 0;
        foreach (var (at, data) in _references ?? [])
        {
            yield return _buffer.AsMemory(from, at - from);
            yield return data;
            from = at;
        }
        yield return _buffer.AsMemory(from, _at - from);
    }

    /// <summary>Everything as one array; for tests and small messages.</summary>
    public byte[] ToArray()
    {
        var output = new ArrayBufferWriter<byte>((int)Math.Max(1, Length));
        CopyTo(output);
        return output.WrittenSpan.ToArray();
    }

    public void Dispose()
    {
        if (_buffer.Length == 0) return;
        Released?.Invoke();
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        _references = null;
        _at = 0;
    }

    bool StartArray<T>(List<T>? value, bool flexible, bool nullable)
    {
        if (value is null) WriteNull(flexible, nullable, wide: true);
        else WriteLength(value.Count, flexible);
        return value is not null;
    }

    void WriteLength(int length, bool flexible)
    {
        if (flexible) WriteUnsignedVarint((uint)length + 1);
        else WriteInt32(length);
    }

    void WriteNull(bool flexible, bool nullable, bool wide)
    {
        if (!nullable) throw new InvalidOperationException("A field may not be null in this version.");
        if (flexible) WriteUnsignedVarint(0);
        else if (wide) WriteInt32(-1);
        else WriteInt16(-1);
    }

    Span<byte> Next(int count)
    {
        if (_buffer.Length - _at < count) Grow(count);
        var part = _buffer.AsSpan(_at, count);
        _at += count;
        return part;
    }

    void Grow(int count)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_buffer.Length * 2, checked(_at + count)));
        _buffer.AsSpan(0, _at).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
