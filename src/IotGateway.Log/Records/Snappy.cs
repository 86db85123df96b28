using System.Buffers.Binary;

namespace IotGateway.Log.Records;

/// <summary>
/// Snappy, from its format description: raw blocks, and Java's framing of them ("xerial": a header of 16 bytes, then blocks with their length as
/// i32 big-endian). A block: its uncompressed length as a varint, then literals and copies, told apart by the low two bits of a tag. Not thread-safe.
/// </summary>
sealed class Snappy(ReadOnlyMemory<byte> input) : Unpacker
{
    const int XerialHeader = 16;

    int _at; // in the input
    int _blockEnd; // of the block it is in; 0 when in none
    long _outputEnd; // where the block's output shall end
    bool _started, _framed;

    static ReadOnlySpan<byte> XerialMagic => [0x82, (byte)'S', (byte)'N', (byte)'A', (byte)'P', (byte)'P', (byte)'Y', 0];

    public override bool Step(DecodedBytes output)
    {
        var rest = input.Span[_at..];
        if (_blockEnd > 0) Block(rest[..(_blockEnd - _at)], output);
        else if (_started && rest.IsEmpty) return false;
        else Start(rest, output);
        return true;
    }

    void Start(ReadOnlySpan<byte> rest, DecodedBytes output)
    {
        var left = rest;
        if (!_started)
        {
            _started = true;
            _framed = rest.StartsWith(XerialMagic);
            if (_framed)
            {
                Take(ref left, XerialHeader);
                _at += XerialHeader;
                return;
            }
        }
        var size = _framed ? BinaryPrimitives.ReadInt32BigEndian(Take(ref left, 4)) : left.Length;
        var block = left;
        var end = _at + rest.Length - left.Length + Take(ref left, size).Length;
        _outputEnd = output.Length + Length(ref block);
        _at += rest.Length - block.Length;
        if (_at > end) throw new InvalidDataException("A Snappy block ends too early.");
        _blockEnd = end;
    }

    void Block(ReadOnlySpan<byte> block, DecodedBytes output)
    {
        var left = block;
        var pause = output.Length + Bite;
        while (!left.IsEmpty && output.Length < pause)
        {
            var tag = Take(ref left, 1)[0];
            switch (tag & 3)
            {
                case 0:
                    output.Add(Take(ref left, LiteralLength(tag >> 2, ref left)));
                    break;
                case 1:
                    Copy(output, ((tag >> 5) << 8) | Take(ref left, 1)[0], ((tag >> 2) & 7) + 4, _outputEnd);
                    break;
                case 2:
                    Copy(output, BinaryPrimitives.ReadUInt16LittleEndian(Take(ref left, 2)), (tag >> 2) + 1, _outputEnd);
                    break;
                default:
                    Copy(output, BinaryPrimitives.ReadInt32LittleEndian(Take(ref left, 4)), (tag >> 2) + 1, _outputEnd);
                    break;
            }
        }
        _at += block.Length - left.Length;
        if (!left.IsEmpty) return;
        if (output.Length != _outputEnd) throw new InvalidDataException("A Snappy block has another length than it says.");
        _blockEnd = 0;
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
