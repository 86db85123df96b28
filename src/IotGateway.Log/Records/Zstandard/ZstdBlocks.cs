using System.Buffers;
using System.Buffers.Binary;

namespace IotGateway.Log.Records.Zstandard;

/// <summary>Compressed blocks of one frame (RFC 8878 §3.1.1.3): literals, then sequences; tables and offsets carry over from block to block.</summary>
sealed class ZstdBlocks(DecodedBytes output) : IDisposable
{
    public const int MaxBlock = 128 << 10; // RFC 8878 §3.1.1.2.4

    readonly int[] _recent = [1, 4, 8];
    byte[] _literals = [];
    HuffmanTable? _huffman;
    FseTable? _literalLengths, _offsets, _matchLengths;

    public void Dispose()
    {
        if (_literals.Length > 0) ArrayPool<byte>.Shared.Return(_literals);
    }

    public void Decode(ReadOnlySpan<byte> block)
    {
        var start = output.Length;
        ReadOnlySpan<byte> literals = Literals(ref block);
        var first = ZstdFrame.Take(ref block, 1)[0];
        var count = first switch
        {
            < 128 => first,
            < 255 => ((first - 128) << 8) + ZstdFrame.Take(ref block, 1)[0],
            _ => BinaryPrimitives.ReadUInt16LittleEndian(ZstdFrame.Take(ref block, 2)) + 0x7F00,
        };
        if (count > 0) literals = Sequences(block, count, literals);
        output.Add(literals);
        if (output.Length - start > MaxBlock) throw new InvalidDataException("A Zstandard block opens to more than a block may have.");
    }

    Span<byte> Literals(ref ReadOnlySpan<byte> block)
    {
        if (block.IsEmpty) throw new InvalidDataException("A Zstandard block is empty.");
        var (type, format) = (block[0] & 3, (block[0] >> 2) & 3);
        if (type < 2) return PlainLiterals(ref block, type, format);

        var header = ZstdFrame.Take(ref block, format switch { 2 => 4, 3 => 5, _ => 3 });
        ulong fields = 0;
        for (var i = 0; i < header.Length; i++) fields |= (ulong)header[i] << (8 * i);
        var bits = format switch { 2 => 14, 3 => 18, _ => 10 };
        var mask = (1UL << bits) - 1;
        var (size, packed) = ((int)((fields >> 4) & mask), (int)((fields >> (4 + bits)) & mask));
        var literals = LiteralSpace(size);
        var streams = ZstdFrame.Take(ref block, packed);
        if (type == 2) _huffman = HuffmanTable.Read(ref streams);
        if (_huffman is null) throw new InvalidDataException("A Zstandard block refers to a tree that was not sent.");
        if (format == 0) _huffman.Decode(streams, literals);
        else FourStreams(_huffman, streams, literals);
        return literals;
    }

    Span<byte> LiteralSpace(int size)
    {
        if (size > MaxBlock) throw new InvalidDataException("A Zstandard block has too many literals.");
        if (size > _literals.Length)
        {
            Dispose();
            _literals = ArrayPool<byte>.Shared.Rent(size);
        }
        return _literals.AsSpan(0, size);
    }

    Span<byte> PlainLiterals(ref ReadOnlySpan<byte> block, int type, int format)
    {
        var header = ZstdFrame.Take(ref block, format switch { 1 => 2, 3 => 3, _ => 1 });
        var size = format switch
        {
            1 => (header[0] >> 4) | (header[1] << 4),
            3 => (header[0] >> 4) | (header[1] << 4) | (header[2] << 12),
            _ => header[0] >> 3,
        };
        var literals = LiteralSpace(size);
        if (type == 0) ZstdFrame.Take(ref block, size).CopyTo(literals);
        else literals.Fill(ZstdFrame.Take(ref block, 1)[0]);
        return literals;
    }

    static void FourStreams(HuffmanTable table, ReadOnlySpan<byte> streams, Span<byte> literals)
    {
        var sizes = ZstdFrame.Take(ref streams, 6);
        var each = (literals.Length + 3) / 4;
        if (each * 3 > literals.Length) throw new InvalidDataException("A Zstandard block has too few literals for four streams.");
        for (var i = 0; i < 3; i++)
            table.Decode(ZstdFrame.Take(ref streams, BinaryPrimitives.ReadUInt16LittleEndian(sizes[(i * 2)..])), literals.Slice(i * each, each));
        table.Decode(streams, literals[(3 * each)..]);
    }

    // Returns the literals behind the last sequence.
    ReadOnlySpan<byte> Sequences(ReadOnlySpan<byte> block, int count, ReadOnlySpan<byte> literals)
    {
        var modes = ZstdFrame.Take(ref block, 1)[0];
        if ((modes & 3) != 0) throw new InvalidDataException("A Zstandard block has reserved bits set.");
        var lengths = _literalLengths = Table(modes >> 6, ref block, ZstdTables.LiteralLengths, _literalLengths, 9, 36);
        var offsets = _offsets = Table((modes >> 4) & 3, ref block, ZstdTables.Offsets, _offsets, 8, 32);
        var matches = _matchLengths = Table((modes >> 2) & 3, ref block, ZstdTables.MatchLengths, _matchLengths, 9, 53);
        var bits = new BackwardBits(block);
        var start = output.Length;
        var (length, offset, match) = (lengths.Start(ref bits), offsets.Start(ref bits), matches.Start(ref bits));
        for (var i = 0; i < count; i++)
        {
            var (lengthCode, matchCode, offsetCode) = (lengths.Symbol(length), matches.Symbol(match), offsets.Symbol(offset));
            var value = (1L << offsetCode) + (long)bits.Read(offsetCode);
            var matchLength = ZstdTables.MatchBase[matchCode] + (int)bits.Read(ZstdTables.MatchBits[matchCode]);
            var literalLength = ZstdTables.LiteralBase[lengthCode] + (int)bits.Read(ZstdTables.LiteralBits[lengthCode]);
            if (bits.Left < 0) throw new InvalidDataException("A Zstandard block's sequences end too early.");
            output.Add(ZstdFrame.Take(ref literals, literalLength));
            output.Repeat(Distance(value, literalLength), matchLength);
            if (output.Length - start > MaxBlock) throw new InvalidDataException("A Zstandard block opens to more than a block may have.");
            if (i + 1 == count) break;
            length = lengths.Next(length, ref bits);
            match = matches.Next(match, ref bits);
            offset = offsets.Next(offset, ref bits);
        }
        if (bits.Left != 0) throw new InvalidDataException("A Zstandard block's sequences do not fill it.");
        return literals;
    }

    static FseTable Table(int mode, ref ReadOnlySpan<byte> block, FseTable standard, FseTable? former, int maxLog, int maxSymbols) => mode switch
    {
        0 => standard,
        1 => ZstdFrame.Take(ref block, 1)[0] is var symbol && symbol < maxSymbols
            ? FseTable.Single(symbol)
            : throw new InvalidDataException("A Zstandard code is impossible."),
        2 => FseTable.Read(ref block, maxLog, maxSymbols),
        _ => former ?? throw new InvalidDataException("A Zstandard block refers to a table that was not sent."),
    };

    // RFC 8878 §3.1.1.5: values 1 to 3 mean recent offsets, shifted by one when there are no literals.
    int Distance(long value, int literalLength)
    {
        long distance;
        var index = 3;
        if (value > 3) distance = value - 3;
        else
        {
            index = (int)value - 1 + (literalLength == 0 ? 1 : 0);
            distance = index < 3 ? _recent[index] : _recent[0] - 1;
            if (index == 0) return _recent[0];
        }
        if (distance is <= 0 or > int.MaxValue) throw new InvalidDataException("A Zstandard offset is impossible.");
        if (index > 1) _recent[2] = _recent[1];
        _recent[1] = _recent[0];
        return _recent[0] = (int)distance;
    }
}
