using System.Buffers.Binary;
using IotGateway.Log.Bytes;
using IotGateway.Log.Records.Packers;

namespace IotGateway.Log.Records.Zstandard;

/// <summary>
/// Zstandard frames (RFC 8878 §3.1): one segment with its size, no checksum (the batch has its own), no dictionary. Blocks are compressed where that
/// makes them smaller. Stateless.
/// </summary>
static class ZstdEncoder
{
    const uint Magic = 0xFD2FB528;
    const int SingleSegment = 0x20, MaxWindow = 8 << 20, DefaultLevel = 3;

    /// <param name="input">What to pack.</param>
    /// <param name="level">As the reference program's: negative is faster, 3 the default, up to 22; how hard it looks for matches.</param>
    /// <param name="output">Where to.</param>
    public static void Encode(ReadOnlySpan<byte> input, int level, ByteWriter output)
    {
        output.Int(unchecked((int)Magic));
        Size(input.Length, output);
        if (input.IsEmpty) Header(output.Space(3), 0, 0, last: true);
        var depth = 1 << Math.Clamp((level == 0 ? DefaultLevel : level) / 2 + 1, 0, 9);
        using var finder = new MatchFinder(input, MaxWindow, depth);
        var block = new ZstdBlockEncoder(finder, lazily: level > DefaultLevel);
        for (var at = 0; at < input.Length;)
        {
            var length = Math.Min(ZstdBlocks.MaxBlock, input.Length - at);
            var last = at + length == input.Length;
            var start = output.Length;
            output.Space(3);
            if (input.Slice(at, length).IndexOfAnyExcept(input[at]) < 0)
            {
                output.Byte(input[at]);
                Header(output.At(start, 3), 1, length, last);
            }
            else
            {
                block.Encode(input, at, length, output);
                var packed = output.Length - start - 3;
                if (packed >= length)
                {
                    block.Forget();
                    output.MoveTo(start + 3);
                    output.Raw(input.Slice(at, length));
                }
                Header(output.At(start, 3), packed < length ? 2 : 0, Math.Min(packed, length), last);
            }
            at += length;
        }
    }

    static void Size(int size, ByteWriter output)
    {
        if (size < 256)
        {
            output.Byte(SingleSegment);
            output.Byte((byte)size);
        }
        else if (size < 256 + (64 << 10))
        {
            output.Byte(SingleSegment | (1 << 6));
            BinaryPrimitives.WriteUInt16LittleEndian(output.Space(2), (ushort)(size - 256));
        }
        else
        {
            output.Byte(SingleSegment | (2 << 6));
            output.Int(size);
        }
    }

    static void Header(Span<byte> to, int type, int size, bool last)
    {
        var header = (size << 3) | (type << 1) | (last ? 1 : 0);
        (to[0], to[1], to[2]) = ((byte)header, (byte)(header >> 8), (byte)(header >> 16));
    }
}
