using System.Buffers.Binary;
using IotGateway.Log.Bytes;

namespace IotGateway.Log.Records.Packers;

/// <summary>Snappy blocks in Java's framing, as <see cref="Snappy"/> reads them and every Kafka client does. Stateless.</summary>
static class SnappyEncoder
{
    const int BlockSize = 64 << 10, ShortCopy = 11, LongestCopy = 64, Depth = 4;
    static ReadOnlySpan<byte> Header => [0x82, (byte)'S', (byte)'N', (byte)'A', (byte)'P', (byte)'P', (byte)'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1];

    public static void Encode(ReadOnlySpan<byte> input, ByteWriter output)
    {
        output.Raw(Header);
        for (; !input.IsEmpty; input = input[Math.Min(BlockSize, input.Length)..])
        {
            var at = output.Length;
            output.Space(4);
            Block(input[..Math.Min(BlockSize, input.Length)], output);
            BinaryPrimitives.WriteInt32BigEndian(output.At(at, 4), output.Length - at - 4);
        }
    }

    static void Block(ReadOnlySpan<byte> input, ByteWriter output)
    {
        var length = input.Length;
        for (; length >= 0x80; length >>= 7) output.Byte((byte)(length | 0x80));
        output.Byte((byte)length);
        using var finder = new MatchFinder(input, BlockSize - 1, Depth);
        var (at, literals) = (0, 0);
        while (at < input.Length)
        {
            var (distance, count) = finder.Find(at, input.Length);
            if (count == 0)
            {
                at++;
                continue;
            }
            Literal(input[literals..at], output);
            Copy(distance, count, output);
            literals = at += count;
        }
        Literal(input[literals..], output);
    }

    static void Literal(ReadOnlySpan<byte> bytes, ByteWriter output)
    {
        if (bytes.IsEmpty) return;
        var less = bytes.Length - 1;
        if (less < 60) output.Byte((byte)(less << 2));
        else if (less < 256)
        {
            output.Byte(60 << 2);
            output.Byte((byte)less);
        }
        else
        {
            output.Byte(61 << 2);
            BinaryPrimitives.WriteUInt16LittleEndian(output.Space(2), (ushort)less);
        }
        output.Raw(bytes);
    }

    static void Copy(int distance, int count, ByteWriter output)
    {
        while (count > 0)
        {
            // The rest must stay long enough for a copy of its own.
            var step = count <= LongestCopy ? count : count - LongestCopy < MatchFinder.MinMatch ? LongestCopy - MatchFinder.MinMatch : LongestCopy;
            if (step is >= 4 and <= ShortCopy && distance < 2048)
            {
                output.Byte((byte)(((distance >> 8) << 5) | ((step - 4) << 2) | 1));
                output.Byte((byte)distance);
            }
            else
            {
                output.Byte((byte)(((step - 1) << 2) | 2));
                BinaryPrimitives.WriteUInt16LittleEndian(output.Space(2), (ushort)distance);
            }
            count -= step;
        }
    }
}
