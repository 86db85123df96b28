using System.Buffers.Binary;

namespace IotGateway.Log.Records;

/// <summary>
/// LZ4 frames, from the frame and block format descriptions (1.6.x). Checksums of the frame are passed over: the batch's own CRC-32C covers every
/// byte. Blocks may refer to earlier ones; dictionaries are not used by Kafka and refused.
/// </summary>
static class Lz4
{
    const uint Magic = 0x184D2204;
    const uint Uncompressed = 0x8000_0000;
    const int MinMatch = 4;

    public static void Decode(ReadOnlySpan<byte> input, DecodedBytes output)
    {
        while (!input.IsEmpty) input = Frame(input, output);
    }

    static ReadOnlySpan<byte> Frame(ReadOnlySpan<byte> input, DecodedBytes output)
    {
        if (BinaryPrimitives.ReadUInt32LittleEndian(Take(ref input, 4)) != Magic) throw new InvalidDataException("This is no LZ4 frame.");
        var flags = Take(ref input, 2)[0];
        if (flags >> 6 != 1) throw new InvalidDataException("The LZ4 frame has an unknown version.");
        if ((flags & 0x01) != 0) throw new InvalidDataException("The LZ4 frame wants a dictionary.");
        var (blockChecksum, contentSize, contentChecksum) = ((flags & 0x10) != 0, (flags & 0x08) != 0, (flags & 0x04) != 0);
        Take(ref input, contentSize ? 9 : 1); // the size, and the header's checksum
        while (true)
        {
            var size = BinaryPrimitives.ReadUInt32LittleEndian(Take(ref input, 4));
            if (size == 0) break;
            var block = Take(ref input, (int)(size & ~Uncompressed));
            if ((size & Uncompressed) != 0) output.Add(block);
            else Block(block, output);
            if (blockChecksum) Take(ref input, 4);
        }
        if (contentChecksum) Take(ref input, 4);
        return input;
    }

    // Sequences of literals and a match; the last has literals only.
    static void Block(ReadOnlySpan<byte> input, DecodedBytes output)
    {
        while (!input.IsEmpty)
        {
            var token = Take(ref input, 1)[0];
            output.Add(Take(ref input, Length(token >> 4, ref input)));
            if (input.IsEmpty) return;
            var distance = BinaryPrimitives.ReadUInt16LittleEndian(Take(ref input, 2));
            output.Repeat(distance, checked(Length(token & 15, ref input) + MinMatch));
        }
    }

    static int Length(int nibble, ref ReadOnlySpan<byte> input)
    {
        if (nibble < 15) return nibble;
        byte more;
        do nibble = checked(nibble + (more = Take(ref input, 1)[0]));
        while (more == 255);
        return nibble;
    }

    static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> input, int count)
    {
        if (count < 0 || count > input.Length) throw new InvalidDataException("An LZ4 frame ends too early.");
        var part = input[..count];
        input = input[count..];
        return part;
    }
}
