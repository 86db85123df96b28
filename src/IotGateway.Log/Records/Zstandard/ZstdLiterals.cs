using System.Buffers.Binary;
using IotGateway.Log.Bytes;

namespace IotGateway.Log.Records.Zstandard;

/// <summary>Writes a block's literals (RFC 8878 §3.1.1.3.1): as they are, as one repeated byte, or in a Huffman code where that is smaller. Stateless.</summary>
static class ZstdLiterals
{
    const int Raw = 0, Repeated = 1, Compressed = 2, FourStreamsFrom = 256, LeastToCompress = 64;

    public static void Encode(ReadOnlySpan<byte> literals, ByteWriter output)
    {
        if (literals.Length > 1 && literals.IndexOfAnyExcept(literals[0]) < 0)
        {
            Plain(Repeated, literals.Length, output);
            output.Byte(literals[0]);
            return;
        }
        if (literals.Length >= LeastToCompress && Huffman(literals, output)) return;
        Plain(Raw, literals.Length, output);
        output.Raw(literals);
    }

    static void Plain(int type, int size, ByteWriter output)
    {
        if (size < 32) output.Byte((byte)(type | (size << 3)));
        else if (size < 4096) BinaryPrimitives.WriteUInt16LittleEndian(output.Space(2), (ushort)(type | (1 << 2) | (size << 4)));
        else
        {
            BinaryPrimitives.WriteUInt16LittleEndian(output.Space(2), (ushort)(type | (3 << 2) | (size << 4)));
            output.Byte((byte)(size >> 12));
        }
    }

    static bool Huffman(ReadOnlySpan<byte> literals, ByteWriter output)
    {
        Span<int> counted = stackalloc int[256];
        counted.Clear();
        foreach (var b in literals) counted[b]++;
        var code = HuffmanEncoder.For(counted);
        if (code.Cost(counted) / 8 >= literals.Length) return false;
        var start = output.Length;
        var format = literals.Length < FourStreamsFrom ? 0 : literals.Length < 1 << 10 ? 1 : literals.Length < 1 << 14 ? 2 : 3;
        var bits = format switch { 2 => 14, 3 => 18, _ => 10 };
        var header = (4 + 2 * bits + 7) / 8;
        output.Space(header);
        if (!code.Describe(output)) return Undone(start, output);
        if (format == 0) code.Encode(literals, output);
        else if (!FourStreams(code, literals, output)) return Undone(start, output);
        var size = output.Length - start - header;
        if (size + header >= literals.Length) return Undone(start, output);
        var fields = (ulong)Compressed | ((ulong)format << 2) | ((ulong)literals.Length << 4) | ((ulong)size << (4 + bits));
        for (var i = 0; i < header; i++) output.At(start + i, 1)[0] = (byte)(fields >> (8 * i));
        return true;
    }

    static bool FourStreams(HuffmanEncoder code, ReadOnlySpan<byte> literals, ByteWriter output)
    {
        var sizes = output.Length;
        output.Space(6);
        var each = (literals.Length + 3) / 4;
        for (var i = 0; i < 4; i++)
        {
            var start = output.Length;
            code.Encode(i < 3 ? literals.Slice(i * each, each) : literals[(3 * each)..], output);
            var size = output.Length - start;
            if (size > ushort.MaxValue) return false;
            if (i < 3) BinaryPrimitives.WriteUInt16LittleEndian(output.At(sizes + 2 * i, 2), (ushort)size);
        }
        return true;
    }

    static bool Undone(int start, ByteWriter output)
    {
        output.MoveTo(start);
        return false;
    }
}
