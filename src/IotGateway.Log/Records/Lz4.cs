using System.Buffers.Binary;

namespace IotGateway.Log.Records;

/// <summary>
/// LZ4 frames, from the frame and block format descriptions (1.6.x). Checksums of the frame are passed over: the batch's own CRC-32C covers every
/// byte. Blocks may refer to earlier ones; dictionaries are not used by Kafka and refused. Not thread-safe.
/// </summary>
sealed class Lz4(ReadOnlyMemory<byte> input) : Unpacker
{
    const uint Magic = 0x184D2204;
    const uint Uncompressed = 0x8000_0000;
    const int MinMatch = 4;

    int _at; // in the input
    int _blockEnd; // of the compressed block it is in; 0 when in none
    bool _inFrame, _blockChecksum, _contentChecksum;
    int _distance, _repeat; // what is left of a match longer than a bite

    public override bool Step(DecodedBytes output)
    {
        var rest = input.Span[_at..];
        if (_blockEnd > 0) Block(rest[..(_blockEnd - _at)], output);
        else if (rest.IsEmpty && !_inFrame) return false;
        else if (_inFrame) StartBlock(rest, output);
        else StartFrame(rest);
        return true;
    }

    void StartFrame(ReadOnlySpan<byte> rest)
    {
        var left = rest;
        if (BinaryPrimitives.ReadUInt32LittleEndian(Take(ref left, 4)) != Magic) throw new InvalidDataException("This is no LZ4 frame.");
        var flags = Take(ref left, 2)[0];
        if (flags >> 6 != 1) throw new InvalidDataException("The LZ4 frame has an unknown version.");
        if ((flags & 0x01) != 0) throw new InvalidDataException("The LZ4 frame wants a dictionary.");
        var contentSize = (flags & 0x08) != 0;
        (_inFrame, _blockChecksum, _contentChecksum) = (true, (flags & 0x10) != 0, (flags & 0x04) != 0);
        Take(ref left, contentSize ? 9 : 1); // the size, and the header's checksum
        _at += rest.Length - left.Length;
    }

    void StartBlock(ReadOnlySpan<byte> rest, DecodedBytes output)
    {
        var left = rest;
        var size = BinaryPrimitives.ReadUInt32LittleEndian(Take(ref left, 4));
        if (size == 0)
        {
            if (_contentChecksum) Take(ref left, 4);
            _inFrame = false;
        }
        else if ((size & Uncompressed) != 0)
        {
            output.Add(Take(ref left, (int)(size & ~Uncompressed)));
            if (_blockChecksum) Take(ref left, 4);
        }
        else
        {
            var start = left;
            Take(ref left, (int)size);
            if (_blockChecksum) Take(ref left, 4);
            _at += rest.Length - start.Length;
            _blockEnd = _at + (int)size;
            return;
        }
        _at += rest.Length - left.Length;
    }

    // Sequences of literals and a match; the last has literals only.
    void Block(ReadOnlySpan<byte> block, DecodedBytes output)
    {
        var left = block;
        var end = output.Length + Bite;
        while (output.Length < end && (_repeat > 0 || !left.IsEmpty))
        {
            if (_repeat == 0)
            {
                var token = Take(ref left, 1)[0];
                output.Add(Take(ref left, Length(token >> 4, ref left)));
                if (left.IsEmpty) break;
                _distance = BinaryPrimitives.ReadUInt16LittleEndian(Take(ref left, 2));
                _repeat = checked(Length(token & 15, ref left) + MinMatch);
            }
            var step = Math.Min(_repeat, Bite);
            output.Repeat(_distance, step);
            _repeat -= step;
        }
        _at += block.Length - left.Length;
        if (!left.IsEmpty || _repeat > 0) return;
        _at = _blockEnd + (_blockChecksum ? 4 : 0);
        _blockEnd = 0;
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
