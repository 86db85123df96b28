using System.Buffers.Binary;

namespace IotGateway.Log.Records.Zstd;

/// <summary>
/// A bit stream read from its end (RFC 8878 §4.1.1, §4.2.2): the highest set bit of the last byte marks where it begins. Reading
/// past the front gives zeros and drives <see cref="Left"/> below zero, which callers check.
/// </summary>
ref struct BackwardBits
{
    readonly ReadOnlySpan<byte> _bytes;

    public BackwardBits(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty || bytes[^1] == 0) throw new InvalidDataException("zstd: a bit stream without its end mark.");
        _bytes = bytes;
        Left = bytes.Length * 8 - (8 - int.Log2(bytes[^1]));
    }

    /// <summary>Bits not yet read; negative once more were taken than there are.</summary>
    public int Left { get; private set; }

    /// <summary>Takes <paramref name="count"/> bits, at most 32.</summary>
    public uint Read(int count)
    {
        var value = Peek(count);
        Left -= count;
        return value;
    }

    /// <summary>The next bits without taking them.</summary>
    public readonly uint Peek(int count)
    {
        var start = Left - count;
        if (start >= 0) return (uint)(Load(start >> 3) >> (start & 7) & (1UL << count) - 1);
        return Left <= 0 ? 0 : (uint)((Load(0) & (1UL << Left) - 1) << -start);
    }

    /// <summary>Gives up bits peeked at.</summary>
    public void Skip(int count) => Left -= count;

    readonly ulong Load(int at)
    {
        if (at + 8 <= _bytes.Length) return BinaryPrimitives.ReadUInt64LittleEndian(_bytes[at..]);
        ulong value = 0;
        for (var i = _bytes.Length - 1; i >= at; i--) value = value << 8 | _bytes[i];
        return value;
    }
}
