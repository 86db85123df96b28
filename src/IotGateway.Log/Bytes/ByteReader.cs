using System.Buffers.Binary;
using System.Text;
using IotGateway.Log.Records;

namespace IotGateway.Log.Bytes;

/// <summary>Reads what <see cref="ByteWriter"/> wrote. Never reads outside its bytes.</summary>
/// <exception cref="InvalidDataException">Fewer bytes than asked for, or an impossible length.</exception>
ref struct ByteReader(ReadOnlySpan<byte> bytes)
{
    readonly ReadOnlySpan<byte> _bytes = bytes;

    public int Position { get; private set; }
    public readonly bool AtEnd => Position == _bytes.Length;

    public byte Byte() => Raw(1)[0];
    public int Int() => BinaryPrimitives.ReadInt32LittleEndian(Raw(4));
    public long Long() => BinaryPrimitives.ReadInt64LittleEndian(Raw(8));
    public Guid Id() => new(Raw(16));

    public long Packed()
    {
        var position = Position;
        if (!Varint.TryRead(_bytes, ref position, out var value)) throw new InvalidDataException("A packed number does not end.");
        Position = position;
        return value;
    }

    public string Text() => Encoding.UTF8.GetString(Block());

    public ReadOnlySpan<byte> Block()
    {
        var length = Int();
        return length >= 0 ? Raw(length) : throw new InvalidDataException("A length is negative.");
    }

    /// <summary>A count of things of at least <paramref name="size"/> bytes each, so that nonsense asks for no memory.</summary>
    public int Count(int size)
    {
        var count = Int();
        return count >= 0 && (long)count * size <= _bytes.Length - Position ? count : throw new InvalidDataException("A count is impossible.");
    }

    public ReadOnlySpan<byte> Raw(int length)
    {
        if (length > _bytes.Length - Position) throw new InvalidDataException("The bytes end too early.");
        var part = _bytes.Slice(Position, length);
        Position += length;
        return part;
    }
}
