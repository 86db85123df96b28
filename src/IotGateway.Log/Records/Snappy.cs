using System.Buffers.Binary;

namespace IotGateway.Log.Records;

/// <summary>
/// Snappy, from its format description: raw blocks, and Java's framing of them ("xerial": a header of 16 bytes, then blocks with their length as
/// i32 big-endian). A block: its uncompressed length as a varint, then literals and copies, told apart by the low two bits of a tag.
/// </summary>
static class Snappy
{
    const int XerialHeader = 16;
    static ReadOnlySpan<byte> XerialMagic => [0x82, (byte)'S', (byte)'N', (byte)'A', (byte)'P', (byte)'P', (byte)'Y', 0];

    public static void Decode(ReadOnlySpan<byte> input, DecodedBytes output)
    {
        if (!input.StartsWith(XerialMagic))
        {
            Block(input, output);
            return;
        }
        Take(ref input, XerialHeader);
        while (!input.IsEmpty)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(Take(ref input, 4));
            Block(Take(ref input, length), output);
        }
    }

    static void Block(ReadOnlySpan<byte> input, DecodedBytes output)
    {
        var length = Length(ref input);
        var end = output.Length + length;
        while (!input.IsEmpty)
        {
            var tag = Take(ref input, 1)[0];
            switch (tag & 3)
            {
                case 0:
                    output.Add(Take(ref input, LiteralLength(tag >> 2, ref input)));
                    break;
                case 1:
                    Copy(output, ((tag >> 5) << 8) | Take(ref input, 1)[0], ((tag >> 2) & 7) + 4, end);
                    break;
                case 2:
                    Copy(output, BinaryPrimitives.ReadUInt16LittleEndian(Take(ref input, 2)), (tag >> 2) + 1, end);
                    break;
                default:
                    Copy(output, BinaryPrimitives.ReadInt32LittleEndian(Take(ref input, 4)), (tag >> 2) + 1, end);
                    break;
            }
        }
        if (output.Length != end) throw new InvalidDataException("A Snappy block has another length than it says.");
    }

    static void Copy(DecodedBytes output, int distance, int count, long end)
    {
        if (output.Length + count > end) throw new InvalidDataException("A Snappy block is longer than it says.");
        output.Repeat(distance, count);
    }

    // Up to 60 bytes in the tag itself; 60 to 63 say that one to four bytes follow with the length less one.
    static int LiteralLength(int code, ref ReadOnlySpan<byte> input)
    {
        if (code < 60) return code + 1;
        long length = 0;
        var bytes = Take(ref input, code - 59);
        for (var i = 0; i < bytes.Length; i++) length |= (long)bytes[i] << (8 * i);
        return length < int.MaxValue ? (int)length + 1 : throw new InvalidDataException("A Snappy literal is impossibly long.");
    }

    static int Length(ref ReadOnlySpan<byte> input)
    {
        long length = 0;
        for (var shift = 0; shift < 35; shift += 7)
        {
            var b = Take(ref input, 1)[0];
            length |= (long)(b & 0x7F) << shift;
            if (b < 0x80) return length <= int.MaxValue ? (int)length : throw new InvalidDataException("A Snappy block is impossibly long.");
        }
        throw new InvalidDataException("A Snappy block's length does not end.");
    }

    static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> input, int count)
    {
        if (count < 0 || count > input.Length) throw new InvalidDataException("A Snappy block ends too early.");
        var part = input[..count];
        input = input[count..];
        return part;
    }
}
