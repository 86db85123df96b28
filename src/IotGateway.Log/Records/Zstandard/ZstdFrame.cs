using System.Buffers.Binary;

namespace IotGateway.Log.Records.Zstandard;

/// <summary>
/// Zstandard frames (RFC 8878 §3.1). The content checksum is passed over: the batch's own CRC-32C covers every byte. Dictionaries are not used by
/// Kafka and refused. The output is bounded by the cap whatever the frame claims.
/// </summary>
static class ZstdFrame
{
    const uint Magic = 0xFD2FB528, Skippable = 0x184D2A50;

    public static void Decode(ReadOnlySpan<byte> input, DecodedBytes output)
    {
        while (!input.IsEmpty)
        {
            var magic = BinaryPrimitives.ReadUInt32LittleEndian(Take(ref input, 4));
            if (magic == Magic) Frame(ref input, output);
            else if ((magic & ~15u) == Skippable) Take(ref input, BinaryPrimitives.ReadInt32LittleEndian(Take(ref input, 4)));
            else throw new InvalidDataException("This is no Zstandard frame.");
        }
    }

    public static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> input, int count)
    {
        if (count < 0 || count > input.Length) throw new InvalidDataException("A Zstandard frame ends too early.");
        var part = input[..count];
        input = input[count..];
        return part;
    }

    static void Frame(ref ReadOnlySpan<byte> input, DecodedBytes output)
    {
        var descriptor = Take(ref input, 1)[0];
        var single = (descriptor & 0x20) != 0;
        if ((descriptor & 0x08) != 0) throw new InvalidDataException("A Zstandard frame has a reserved bit set.");
        if (!single) Take(ref input, 1); // the window: the whole output is kept
        foreach (var b in Take(ref input, (descriptor & 3) switch { 0 => 0, 1 => 1, 2 => 2, _ => 4 }))
            if (b != 0) throw new InvalidDataException("A Zstandard frame wants a dictionary.");
        Take(ref input, (descriptor >> 6) switch { 0 => single ? 1 : 0, 1 => 2, 2 => 4, _ => 8 }); // content size: a claim
        using var blocks = new ZstdBlocks(output);
        for (var last = false; !last;)
        {
            var bytes = Take(ref input, 3);
            var header = bytes[0] | (bytes[1] << 8) | (bytes[2] << 16);
            last = (header & 1) != 0;
            var size = header >> 3;
            if (size > ZstdBlocks.MaxBlock) throw new InvalidDataException("A Zstandard block is too large.");
            switch ((header >> 1) & 3)
            {
                case 0:
                    output.Add(Take(ref input, size));
                    break;
                case 1:
                    output.Fill(Take(ref input, 1)[0], size);
                    break;
                case 2:
                    blocks.Decode(Take(ref input, size));
                    break;
                default:
                    throw new InvalidDataException("A Zstandard block has a reserved type.");
            }
        }
        if ((descriptor & 0x04) != 0) Take(ref input, 4);
    }
}
