using System.Buffers.Binary;

namespace IotGateway.Log.Records.Zstd;

/// <summary>
/// Opens Zstandard frames (RFC 8878), one after another, skippable ones passed over. Dictionaries are refused. The content checksum
/// is not compared: a record batch carries its own CRC-32C over the compressed bytes. Not thread-safe; one instance per call.
/// </summary>
/// <remarks>Memory: the output, which grows with what really comes out and never beyond the cap, and 128 KiB of literals.</remarks>
sealed class ZstdDecoder
{
    const uint Magic = 0xFD2FB528, SkippableMagic = 0x184D2A50, SkippableMask = 0xFFFFFFF0; // §3.1.1, §3.1.2
    const int MaxBlock = 128 << 10; // §3.1.1.2.4

    readonly GrowingBuffer _output;
    readonly byte[] _literals = new byte[MaxBlock];
    readonly int[] _repeat = new int[3];
    HuffmanTable? _huffman;
    FseTable? _literalTable, _offsetTable, _matchTable;
    int _frameStart;

    ZstdDecoder(int cap, int hint) => _output = new(cap, hint);

    /// <summary>What the frames hold.</summary>
    /// <exception cref="InvalidDataException">Malformed, or more than <paramref name="cap"/> bytes come out.</exception>
    public static ReadOnlyMemory<byte> Decode(ReadOnlySpan<byte> source, int cap)
    {
        var decoder = new ZstdDecoder(cap, source.Length * 4);
        while (!source.IsEmpty) decoder.Frame(ref source);
        return decoder._output.Written;
    }

    internal static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> source, int count)
    {
        if (count > source.Length) throw new InvalidDataException("zstd: the data ends early.");
        var taken = source[..count];
        source = source[count..];
        return taken;
    }

    void Frame(ref ReadOnlySpan<byte> source)
    {
        var magic = BinaryPrimitives.ReadUInt32LittleEndian(Take(ref source, 4));
        if ((magic & SkippableMask) == SkippableMagic)
        {
            Take(ref source, (int)Math.Min(int.MaxValue, BinaryPrimitives.ReadUInt32LittleEndian(Take(ref source, 4))));
            return;
        }
        if (magic != Magic) throw new InvalidDataException("zstd: no frame begins here.");
        var descriptor = Take(ref source, 1)[0];
        var single = (descriptor & 32) != 0;
        if ((descriptor & 8) != 0) throw new InvalidDataException("zstd: a reserved bit is set.");
        if (!single) Take(ref source, 1); // the window's size: the whole output is kept, so any window is
        if ((descriptor & 3) != 0) throw new InvalidDataException("zstd: dictionaries are not used in record batches.");
        Take(ref source, (descriptor >> 6) switch { 0 => single ? 1 : 0, 1 => 2, 2 => 4, _ => 8 });

        (_repeat[0], _repeat[1], _repeat[2]) = (1, 4, 8); // §3.1.1.5
        (_huffman, _literalTable, _offsetTable, _matchTable) = (null, null, null, null);
        _frameStart = _output.Length;
        for (var last = false; !last;)
        {
            var bytes = Take(ref source, 3);
            var header = bytes[0] | bytes[1] << 8 | bytes[2] << 16;
            last = (header & 1) != 0;
            Block(ref source, header >> 1 & 3, header >> 3);
        }
        if ((descriptor & 4) != 0) Take(ref source, 4);
    }

    void Block(ref ReadOnlySpan<byte> source, int type, int size)
    {
        if (size > MaxBlock) throw new InvalidDataException("zstd: a block is too large.");
        switch (type)
        {
            case 0: _output.Append(Take(ref source, size)); break;
            case 1: _output.Fill(Take(ref source, 1)[0], size); break;
            case 2: Compressed(Take(ref source, size)); break;
            default: throw new InvalidDataException("zstd: a block of reserved type.");
        }
    }

    void Compressed(ReadOnlySpan<byte> block)
    {
        var literals = Literals(ref block);
        var count = (int)Take(ref block, 1)[0];
        if (count >= 128) count = count < 255 ? (count - 128 << 8) + Take(ref block, 1)[0] : BinaryPrimitives.ReadUInt16LittleEndian(Take(ref block, 2)) + 0x7F00;
        if (count > 0) Sequences(block, count, ref literals);
        else if (!block.IsEmpty) throw new InvalidDataException("zstd: bytes after the last literal.");
        _output.Append(literals);
    }

    /// <summary>The literals section (§3.1.1.3.1).</summary>
    ReadOnlySpan<byte> Literals(ref ReadOnlySpan<byte> block)
    {
        if (block.IsEmpty) throw new InvalidDataException("zstd: an empty block.");
        var (type, format) = (block[0] & 3, block[0] >> 2 & 3);
        if (type < 2)
        {
            var head = Take(ref block, format switch { 1 => 2, 3 => 3, _ => 1 });
            var length = format switch { 1 => head[0] >> 4 | head[1] << 4, 3 => head[0] >> 4 | head[1] << 4 | head[2] << 12, _ => head[0] >> 3 };
            if (length > MaxBlock) throw new InvalidDataException("zstd: too many literals.");
            if (type == 0) return Take(ref block, length);
            _literals.AsSpan(0, length).Fill(Take(ref block, 1)[0]);
            return _literals.AsSpan(0, length);
        }
        var (bytes, width) = format switch { 2 => (4, 14), 3 => (5, 18), _ => (3, 10) };
        ulong header = 0;
        var packed = Take(ref block, bytes);
        for (var i = bytes - 1; i >= 0; i--) header = header << 8 | packed[i];
        var regenerated = (int)(header >> 4 & (1UL << width) - 1);
        var stream = Take(ref block, (int)(header >> 4 + width & (1UL << width) - 1));
        if (regenerated > MaxBlock) throw new InvalidDataException("zstd: too many literals.");
        if (type == 2) _huffman = HuffmanTable.Read(ref stream);
        var table = _huffman ?? throw new InvalidDataException("zstd: a tree is used before there is one.");
        var target = _literals.AsSpan(0, regenerated);
        if (format == 0) table.Decode(stream, target);
        else
        {
            var jumps = Take(ref stream, 6); // §3.1.1.3.1.6
            var share = (regenerated + 3) / 4;
            if (share * 3 > regenerated) throw new InvalidDataException("zstd: too few literals for four streams.");
            for (var i = 0; i < 3; i++) table.Decode(Take(ref stream, BinaryPrimitives.ReadUInt16LittleEndian(jumps[(2 * i)..])), target.Slice(i * share, share));
            table.Decode(stream, target[(3 * share)..]);
        }
        return target;
    }

    /// <summary>The sequences section (§3.1.1.3.2) and its execution (§3.1.1.4).</summary>
    void Sequences(ReadOnlySpan<byte> block, int count, ref ReadOnlySpan<byte> literals)
    {
        var modes = Take(ref block, 1)[0];
        if ((modes & 3) != 0) throw new InvalidDataException("zstd: a reserved bit is set.");
        var literalTable = Table(ref block, modes >> 6, SequenceCodes.Literals, ref _literalTable, 9, SequenceCodes.MaxLiteralCode);
        var offsetTable = Table(ref block, modes >> 4 & 3, SequenceCodes.Offsets, ref _offsetTable, 8, SequenceCodes.MaxOffsetCode);
        var matchTable = Table(ref block, modes >> 2 & 3, SequenceCodes.Matches, ref _matchTable, 9, SequenceCodes.MaxMatchCode);
        var bits = new BackwardBits(block);
        var literalState = (int)bits.Read(literalTable.Accuracy);
        var offsetState = (int)bits.Read(offsetTable.Accuracy);
        var matchState = (int)bits.Read(matchTable.Accuracy);
        var blockEnd = _output.Length + MaxBlock;
        for (var i = 0; i < count; i++)
        {
            var (literalCode, offsetCode, matchCode) = (literalTable.Symbol(literalState), offsetTable.Symbol(offsetState), matchTable.Symbol(matchState));
            if (literalCode > SequenceCodes.MaxLiteralCode || matchCode > SequenceCodes.MaxMatchCode || offsetCode > SequenceCodes.MaxOffsetCode)
                throw new InvalidDataException("zstd: an unknown code.");
            var offsetValue = (1L << offsetCode) + bits.Read(offsetCode);
            var match = SequenceCodes.MatchBase[matchCode] + (int)bits.Read(SequenceCodes.MatchBits[matchCode]);
            var literal = SequenceCodes.LiteralBase[literalCode] + (int)bits.Read(SequenceCodes.LiteralBits[literalCode]);
            if (i + 1 < count)
            {
                literalState = literalTable.Next(literalState, ref bits);
                matchState = matchTable.Next(matchState, ref bits);
                offsetState = offsetTable.Next(offsetState, ref bits);
            }
            if (bits.Left < 0 || _output.Length + (long)literal + match > blockEnd) throw new InvalidDataException("zstd: sequences that do not fit their block.");
            _output.Append(Take(ref literals, literal));
            var offset = Offset(offsetValue, literal);
            if (offset <= 0 || offset > _output.Length - _frameStart) throw new InvalidDataException("zstd: a match before the beginning.");
            _output.Repeat((int)offset, match);
        }
        if (bits.Left != 0) throw new InvalidDataException("zstd: bits after the last sequence.");
    }

    static FseTable Table(ref ReadOnlySpan<byte> block, int mode, FseTable predefined, ref FseTable? current, int maxAccuracy, int maxSymbol) => current = mode switch
    {
        0 => predefined,
        1 => FseTable.Of(Take(ref block, 1)[0]),
        2 => FseTable.Read(ref block, maxAccuracy, maxSymbol),
        _ => current ?? throw new InvalidDataException("zstd: a table is used before there is one."),
    };

    /// <summary>Turns an offset value into a distance and keeps the three recent ones (§3.1.1.5).</summary>
    long Offset(long value, int literals)
    {
        if (value > 3)
        {
            if (value - 3 > int.MaxValue) throw new InvalidDataException("zstd: an offset is too large.");
            (_repeat[0], _repeat[1], _repeat[2]) = ((int)(value - 3), _repeat[0], _repeat[1]);
            return _repeat[0];
        }
        var which = (int)value - (literals > 0 ? 1 : 0);
        if (which == 0) return _repeat[0];
        var offset = which == 3 ? _repeat[0] - 1 : _repeat[which];
        if (which != 1) _repeat[2] = _repeat[1];
        _repeat[1] = _repeat[0];
        return _repeat[0] = offset;
    }
}
