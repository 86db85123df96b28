using System.Buffers.Binary;
using System.Text;
using IotGateway.Log.Records;

namespace IotGateway.Log.Bytes;

/// <summary>A growing buffer written little-endian; variable parts carry their length as i32, -1 for null; packed numbers are zig-zag, seven bits a byte. Not thread-safe.</summary>
sealed class ByteWriter(int capacity)
{
    byte[] _buffer = new byte[capacity];

    public int Length { get; private set; }
    public int Capacity => _buffer.Length;
    public ReadOnlyMemory<byte> Written => _buffer.AsMemory(0, Length);

    /// <summary>Goes back to a former length, or forward over bytes to be filled later.</summary>
    public void MoveTo(int length)
    {
        if (length > Length) Space(length - Length).Clear();
        Length = length;
    }

    /// <summary>Bytes written before, to be patched.</summary>
    public Span<byte> At(int position, int length) => _buffer.AsSpan(0, Length).Slice(position, length);

    /// <summary>Room for the next bytes, counted as written.</summary>
    public Span<byte> Space(int length)
    {
        if (_buffer.Length - Length < length) Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, Length + length));
        var space = _buffer.AsSpan(Length, length);
        Length += length;
        return space;
    }

    public void Byte(byte value) => Space(1)[0] = value;
    public void Int(int value) => BinaryPrimitives.WriteInt32LittleEndian(Space(4), value);
    public void Long(long value) => BinaryPrimitives.WriteInt64LittleEndian(Space(8), value);
    public void Id(Guid value) => value.TryWriteBytes(Space(16));
    public void Raw(ReadOnlySpan<byte> value) => value.CopyTo(Space(value.Length));
    public void Packed(long value) => Varint.Write(Space(Varint.Size(value)), value);

    public void Block(ReadOnlySpan<byte> value)
    {
        Int(value.Length);
        Raw(value);
    }

    public void Text(string value)
    {
        var length = Encoding.UTF8.GetByteCount(value);
        Int(length);
        Encoding.UTF8.GetBytes(value, Space(length));
    }

    /// <summary>Lets go of a buffer grown beyond <paramref name="most"/>.</summary>
    public void Trim(int most)
    {
        if (_buffer.Length > most) _buffer = new byte[most];
        Length = 0;
    }
}
