using System.Buffers.Binary;
using IotGateway.Log.Bytes;

namespace IotGateway.Log.Records.Packers;

/// <summary>LZ4 frames of independent 64 KiB blocks without checksums: what Kafka's Java clients take (they refuse linked blocks). Stateless.</summary>
static class Lz4Encoder
{
    const int BlockSize = 64 << 10;
    const uint Uncompressed = 0x8000_0000;
    const int LastLiterals = 5, LastMatchFrom = 12; // block format, "end of block conditions"

    // Version 1, independent blocks; largest block 64 KiB; the second byte of these two bytes' xxHash-32.
    static ReadOnlySpan<byte> Header => [0x04, 0x22, 0x4D, 0x18, 0x60, 0x40, 0x82];

    /// <param name="input">What to pack.</param>
    /// <param name="level">1 to 17; how hard it looks for matches.</param>
    /// <param name="output">Where to.</param>
    public static void Encode(ReadOnlySpan<byte> input, int level, ByteWriter output)
    {
        output.Raw(Header);
        for (; !input.IsEmpty; input = input[Math.Min(BlockSize, input.Length)..])
        {
            var block = input[..Math.Min(BlockSize, input.Length)];
            var at = output.Length;
            output.Space(4);
            Block(block, level, output);
            var size = output.Length - at - 4;
            if (size >= block.Length)
            {
                output.MoveTo(at + 4);
                output.Raw(block);
            }
            BinaryPrimitives.WriteUInt32LittleEndian(output.At(at, 4), size >= block.Length ? (uint)block.Length | Uncompressed : (uint)size);
        }
        output.Int(0);
    }

    static void Block(ReadOnlySpan<byte> input, int level, ByteWriter output)
    {
        using var finder = new MatchFinder(input, BlockSize - 1, 1 << Math.Min(level / 2, 8));
        var (at, literals) = (0, 0);
        while (at <= input.Length - LastMatchFrom)
        {
            var (distance, count) = finder.Find(at, input.Length - LastLiterals);
            if (count == 0)
            {
                at++;
                continue;
            }
            Sequence(input[literals..at], count - MatchFinder.MinMatch, output);
            BinaryPrimitives.WriteUInt16LittleEndian(output.Space(2), (ushort)distance);
            Rest(count - MatchFinder.MinMatch, output);
            literals = at += count;
        }
        Sequence(input[literals..], 0, output);
    }

    static void Sequence(ReadOnlySpan<byte> literals, int match, ByteWriter output)
    {
        output.Byte((byte)((Math.Min(literals.Length, 15) << 4) | Math.Min(match, 15)));
        Rest(literals.Length, output);
        output.Raw(literals);
    }

    // What did not fit into the token's four bits.
    static void Rest(int length, ByteWriter output)
    {
        if (length < 15) return;
        for (length -= 15; length >= 255; length -= 255) output.Byte(255);
        output.Byte((byte)length);
    }
}
