using System.Buffers.Binary;
using System.Text;

namespace IotGateway.Connectors.Mqtt.Protocol;

/// <summary>
/// A growing buffer packets are encoded into, one after the other, so that many leave in one write. Reused by its one owner.
/// Texts that break §1.5.4 or are too long are <see cref="ArgumentException"/>: a caller's mistake, not the peer's.
/// </summary>
sealed class WireWriter(int capacity = 512)
{
    byte[] _buffer = new byte[capacity];
    int _length;

    /// <summary>What was written; valid until the next change.</summary>
    public ReadOnlyMemory<byte> Written => _buffer.AsMemory(0, _length);

    public int Length => _length;

    /// <summary>Forgets everything; a buffer grown beyond 1 MiB is given back.</summary>
    public void Clear()
    {
        _length = 0;
        if (_buffer.Length > 1 << 20) _buffer = new byte[capacity];
    }

    public void Byte(byte value) => Room(1)[0] = value;

    public void UInt16(int value) => BinaryPrimitives.WriteUInt16BigEndian(Room(2), checked((ushort)value));

    public void UInt32(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Room(4), value);

    public void Bytes(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Room(bytes.Length));

    /// <summary>§1.5.5.</summary>
    public void VarInt(int value)
    {
        if ((uint)value > 268_435_455) throw new ArgumentOutOfRangeException(nameof(value), value, "Above what MQTT can write (MQTT 5 §1.5.5).");
        for (; value > 0x7F; value >>= 7) Byte((byte)(value & 0x7F | 0x80));
        Byte((byte)value);
    }

    /// <summary>§1.5.6.</summary>
    public void Binary(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > ushort.MaxValue) throw new ArgumentException($"{bytes.Length} bytes where MQTT allows 65535.", nameof(bytes));
        UInt16(bytes.Length);
        Bytes(bytes);
    }

    /// <summary>§1.5.4.</summary>
    public void Text(string text)
    {
        var count = Encoding.UTF8.GetByteCount(text);
        if (count > ushort.MaxValue) throw new ArgumentException($"A text of {count} bytes where MQTT allows 65535.", nameof(text));
        if (text.Contains('\0', StringComparison.Ordinal)) throw new ArgumentException("A text holds U+0000.", nameof(text));
        UInt16(count);
        Encoding.UTF8.GetBytes(text, Room(count));
    }

    /// <summary>Begins a packet: room for the longest fixed header. Returns what <see cref="End"/> needs.</summary>
    public int Begin()
    {
        var start = _length;
        Room(5);
        return start;
    }

    /// <summary>Ends a packet: writes the fixed header (§2.1) and closes the room it does not need.</summary>
    public void End(int start, byte first)
    {
        var body = _length - start - 5;
        var header = 1 + VarIntSize(body);
        _buffer.AsSpan(start + 5, body).CopyTo(_buffer.AsSpan(start + header));
        _length = start;
        Byte(first);
        VarInt(body);
        _length = start + header + body;
    }

    /// <summary>Takes back a packet begun and not ended.</summary>
    public void Undo(int start) => _length = start;

    public static int VarIntSize(int value) => value switch { < 1 << 7 => 1, < 1 << 14 => 2, < 1 << 21 => 3, _ => 4 };

    Span<byte> Room(int count)
    {
        if (_buffer.Length - _length < count) Array.Resize(ref _buffer, Math.Max(checked(_length + count), (int)Math.Min(Array.MaxLength, _buffer.Length * 2L)));
        var span = _buffer.AsSpan(_length, count);
        _length += count;
        return span;
    }
}
