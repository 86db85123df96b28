using System.Buffers.Binary;

namespace IotGateway.Log.Records.Zstandard;

/// <summary>
/// A bit stream read from its end towards its start (RFC 8878 §4.1): the highest set bit of the last byte marks the end. Reading past the start
/// gives zeros and makes <see cref="Left"/> negative.
/// </summary>
ref struct BackwardBits
{
    readonly ReadOnlySpan<byte> _bytes;

    public BackwardBits(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty || bytes[^1] == 0) throw new InvalidDataException("A Zstandard bit stream has no end mark.");
        _bytes = bytes;
        Left = bytes.Length * 8L - 8 + int.Log2(bytes[^1]);
    }

    public long Left { get; private set; }

    public ulong Read(int count)
    {
        Left -= count;
        if (count == 0) return 0;
        // Nearly always eight bytes can be loaded at once: no field of the format has more than 32 bits.
        if (Left >= 0 && (int)(Left >> 3) <= _bytes.Length - 8 && count <= 56)
            return (BinaryPrimitives.ReadUInt64LittleEndian(_bytes[(int)(Left >> 3)..]) >> (int)(Left & 7)) & ((1UL << count) - 1);
        var (from, take) = Left >= 0 ? (Left, count) : (0L, (int)Math.Max(0, count + Left));
        var value = Bits(from, take);
        return Left >= 0 ? value : Left > -64 ? value << (int)-Left : 0;
    }

    readonly ulong Bits(long from, int count)
    {
        ulong value = 0;
        for (int got = 0, shift = (int)(from & 7), at = (int)(from >> 3); got < count; at++, shift = 0)
        {
            value |= (ulong)(_bytes[at] >> shift) << got;
            got += 8 - shift;
        }
        return count == 64 ? value : value & ((1UL << count) - 1);
    }
}
