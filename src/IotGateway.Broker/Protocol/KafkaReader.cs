using System.Buffers.Binary;
using System.Text;

namespace IotGateway.Broker.Protocol;

/// <summary>
/// Reads the primitive types of the Kafka protocol from one frame. Every length is checked against what is left before anything is
/// allocated, and all allocations are charged to a budget of 16 times the frame (at least 1 MiB, at most 128), so that no input costs more.
/// Throws <see cref="ProtocolException"/> and nothing else.
/// </summary>
internal ref struct KafkaReader
{
    /// <summary>Bytes that what is read of one frame takes at most: a million partitions in one request, and their topics.</summary>
    public const int MostCharged = 128 << 20;

    const int LeastBudget = 1 << 20;
    readonly ReadOnlyMemory<byte> _frame;
    readonly ReadOnlySpan<byte> _span;
    int _at;
    readonly int _allowed;
    long _budget;

    public KafkaReader(ReadOnlyMemory<byte> frame)
    {
        _frame = frame;
        _span = frame.Span;
        _budget = _allowed = Allowance(frame.Length);
    }

    /// <summary>Bytes that what is read of a frame of so many may take.</summary>
    public static int Allowance(int length) => (int)Math.Clamp(16L * length, LeastBudget, MostCharged);

    /// <summary>Bytes taken so far.</summary>
    public readonly int Charged => (int)(_allowed - Math.Max(_budget, 0));

    public readonly int Remaining => _span.Length - _at;

    public readonly int Position => _at;

    /// <summary>Announces an allocation.</summary>
    public void Charge(long bytes)
    {
        if ((_budget -= bytes) < 0) throw new ProtocolException($"The request of {_span.Length} bytes would take more than 16 times its size, or {MostCharged >> 20} MiB, in memory.");
    }

    public bool ReadBool() => Take(1)[0] != 0;

    public sbyte ReadInt8() => (sbyte)Take(1)[0];

    public short ReadInt16() => BinaryPrimitives.ReadInt16BigEndian(Take(2));

    public ushort ReadUInt16() => BinaryPrimitives.ReadUInt16BigEndian(Take(2));

    public int ReadInt32() => BinaryPrimitives.ReadInt32BigEndian(Take(4));

    public long ReadInt64() => BinaryPrimitives.ReadInt64BigEndian(Take(8));

    public double ReadFloat64() => BinaryPrimitives.ReadDoubleBigEndian(Take(8));

    public Guid ReadUuid() => new(Take(16), bigEndian: true);

    /// <summary>Base-128, low group first; at most five bytes.</summary>
    public uint ReadUnsignedVarint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 35; shift += 7)
        {
            var part = Take(1)[0];
            value |= (ulong)(part & 0x7f) << shift;
            if ((part & 0x80) == 0)
                return value <= uint.MaxValue ? (uint)value : throw new ProtocolException("A varint is greater than 32 bits.");
        }
        throw new ProtocolException("A varint is longer than five bytes.");
    }

    public string ReadString(bool flexible) => ReadNullableString(flexible, true) ?? throw Null("string");

    public string? ReadNullableString(bool flexible, bool nullable)
    {
        var length = flexible ? CompactLength() : ReadInt16();
        if (length < 0) return nullable && length == -1 ? null : throw Null("string");
        var bytes = Take(length);
        if (length == 0) return "";
        Charge(32 + (2L * length));
        return Encoding.UTF8.GetString(bytes);
    }

    /// <summary>A slice of the frame, not a copy.</summary>
    public ReadOnlyMemory<byte> ReadBytes(bool flexible) => ReadNullableBytes(flexible, true) ?? throw Null("byte field");

    /// <summary>A slice of the frame, not a copy.</summary>
    public ReadOnlyMemory<byte>? ReadNullableBytes(bool flexible, bool nullable)
    {
        var length = flexible ? CompactLength() : ReadInt32();
        if (length < 0) return nullable && length == -1 ? null : throw Null("byte field");
        var start = _at;
        Take(length);
        return _frame.Slice(start, length);
    }

    public List<T> ReadStructs<T>(short version, bool flexible) where T : IKafkaStruct<T>
        => ReadNullableStructs<T>(version, flexible, true) ?? throw Null("array");

    public List<T>? ReadNullableStructs<T>(short version, bool flexible, bool nullable) where T : IKafkaStruct<T>
    {
        if (NewList<T>(flexible, nullable, 1, 8, out var count) is not { } list) return null;
        for (var i = 0; i < count; i++) list.Add(T.Read(ref this, version));
        return list;
    }

    public T? ReadNullableStruct<T>(short version, bool nullable) where T : class, IKafkaStruct<T>
        => !nullable || ReadInt8() >= 0 ? T.Read(ref this, version) : null;

    public List<int> ReadInt32s(bool flexible) => ReadNullableInt32s(flexible, true) ?? throw Null("array");

    public List<int>? ReadNullableInt32s(bool flexible, bool nullable)
    {
        if (NewList<int>(flexible, nullable, 4, 4, out var count) is not { } list) return null;
        for (var i = 0; i < count; i++) list.Add(ReadInt32());
        return list;
    }

    public List<long> ReadInt64s(bool flexible)
    {
        var list = NewList<long>(flexible, false, 8, 8, out var count)!;
        for (var i = 0; i < count; i++) list.Add(ReadInt64());
        return list;
    }

    public List<sbyte> ReadInt8s(bool flexible)
    {
        var list = NewList<sbyte>(flexible, false, 1, 1, out var count)!;
        for (var i = 0; i < count; i++) list.Add(ReadInt8());
        return list;
    }

    public List<string> ReadStrings(bool flexible) => ReadNullableStrings(flexible, true) ?? throw Null("array");

    public List<string>? ReadNullableStrings(bool flexible, bool nullable)
    {
        if (NewList<string>(flexible, nullable, 1, 8, out var count) is not { } list) return null;
        for (var i = 0; i < count; i++) list.Add(ReadString(flexible));
        return list;
    }

    public uint ReadTagCount()
    {
        var count = ReadUnsignedVarint();
        return count <= Remaining / 2 ? count : throw new ProtocolException($"{count} tagged fields are claimed with {Remaining} bytes left.");
    }

    /// <summary>Reads a tagged field's number and length; returns where it ends.</summary>
    public int ReadTag(out uint tag)
    {
        tag = ReadUnsignedVarint();
        var size = ReadUnsignedVarint();
        return size <= Remaining ? _at + (int)size : throw Short(size);
    }

    /// <summary>Goes to the end of a tagged field, whatever of it was read.</summary>
    public void EndTag(int end)
    {
        if (_at > end) throw new ProtocolException("A tagged field is longer than it says.");
        _at = end;
    }

    public void SkipTags()
    {
        for (var tags = ReadTagCount(); tags > 0; tags--) EndTag(ReadTag(out _));
    }

    List<T>? NewList<T>(bool flexible, bool nullable, int least, int size, out int count)
    {
        count = flexible ? CompactLength() : ReadInt32();
        if (count < 0) return nullable && count == -1 ? null : throw Null("array");
        if (count > Remaining / least) throw new ProtocolException($"An array of {count} elements is claimed with {Remaining} bytes left.");
        Charge(64 + ((long)count * size));
        return new List<T>(count);
    }

    int CompactLength()
    {
        var length = ReadUnsignedVarint();
        return length <= int.MaxValue ? (int)length - 1 : throw Short(length);
    }

    ReadOnlySpan<byte> Take(int count)
    {
        if ((uint)count > (uint)Remaining) throw Short(count);
        var part = _span.Slice(_at, count);
        _at += count;
        return part;
    }

    readonly ProtocolException Short(long wanted) => new($"{wanted} bytes are claimed at position {_at} with {Remaining} left.");

    readonly ProtocolException Null(string what) => new($"A {what} at position {_at} is null or of negative length where none may be.");
}
