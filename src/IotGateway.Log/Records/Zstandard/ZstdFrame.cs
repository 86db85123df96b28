using System.Buffers.Binary;

namespace IotGateway.Log.Records.Zstandard;

/// <summary>
/// Zstandard frames (RFC 8878 §3.1). The content checksum is passed over: the batch's own CRC-32C covers every byte. Dictionaries are not used by
/// Kafka and refused. The output is bounded by the cap whatever the frame claims. Not thread-safe.
/// </summary>
sealed class ZstdFrame(ReadOnlyMemory<byte> input) : Unpacker
{
    const uint Magic = 0xFD2FB528, Skippable = 0x184D2A50;

    int _at; // in the input
    ZstdBlocks? _blocks; // of the frame it is in
    bool _checksum;

    public override bool Step(DecodedBytes output)
    {
        var rest = input.Span[_at..];
        if (rest.IsEmpty && _blocks is null) return false;
        var left = rest;
        if (_blocks is null) Start(ref left, output);
        else if (Block(_blocks, ref left, output)) End(ref left);
        _at += rest.Length - left.Length;
        return true;
    }

    public override void Dispose()
    {
        _blocks?.Dispose();
        base.Dispose();
    }

    public static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> input, int count)
    {
        if (count < 0 || count > input.Length) throw new InvalidDataException("A Zstandard frame ends too early.");
        var part = input[..count];
        input = input[count..];
        return part;
    }

    void Start(ref ReadOnlySpan<byte> input, DecodedBytes output)
    {
        var magic = BinaryPrimitives.ReadUInt32LittleEndian(Take(ref input, 4));
        if ((magic & ~15u) == Skippable)
        {
            Take(ref input, BinaryPrimitives.ReadInt32LittleEndian(Take(ref input, 4)));
            return;
        }
        if (magic != Magic) throw new InvalidDataException("This is no Zstandard frame.");
        var descriptor = Take(ref input, 1)[0];
        var single = (descriptor & 0x20) != 0;
        if ((descriptor & 0x08) != 0) throw new InvalidDataException("A Zstandard frame has a reserved bit set.");
        if (!single) Take(ref input, 1); // the window: the output knows how much it keeps
        foreach (var b in Take(ref input, (descriptor & 3) switch { 0 => 0, 1 => 1, 2 => 2, _ => 4 }))
            if (b != 0) throw new InvalidDataException("A Zstandard frame wants a dictionary.");
        Take(ref input, (descriptor >> 6) switch { 0 => single ? 1 : 0, 1 => 2, 2 => 4, _ => 8 }); // content size: a claim
        (_blocks, _checksum) = (new(output), (descriptor & 0x04) != 0);
    }

    void End(ref ReadOnlySpan<byte> input)
    {
        if (_checksum) Take(ref input, 4);
        _blocks!.Dispose();
        _blocks = null;
    }

    // Whether it was the frame's last.
    static bool Block(ZstdBlocks blocks, ref ReadOnlySpan<byte> input, DecodedBytes output)
    {
        var bytes = Take(ref input, 3);
        var header = bytes[0] | (bytes[1] << 8) | (bytes[2] << 16);
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
        return (header & 1) != 0;
    }
}
