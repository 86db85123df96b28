using System.Buffers.Binary;
using System.Runtime.InteropServices;
using IotGateway.Log.Bytes;

namespace IotGateway.Log.Records.Zstandard;

/// <summary>Writes a block's sequences (RFC 8878 §3.1.1.3.2): their codes in three interleaved entropy codes, and the bits the codes leave open. Stateless.</summary>
static class ZstdSequences
{
    const int Repeated = 1, Described = 2;
    const int LiteralLog = 9, OffsetLog = 8, MatchLog = 9; // greatest precisions
    const int DescriptionBits = 6; // about what a table's description takes for a symbol

    static readonly FseEncoder _literals = FseEncoder.Of(ZstdTables.LiteralDefaults, ZstdTables.LiteralDefaultLog);
    static readonly FseEncoder _offsets = FseEncoder.Of(ZstdTables.OffsetDefaults, ZstdTables.OffsetDefaultLog);
    static readonly FseEncoder _matches = FseEncoder.Of(ZstdTables.MatchDefaults, ZstdTables.MatchDefaultLog);

    public static void Encode(List<ZstdSequence> list, ByteWriter output)
    {
        var sequences = CollectionsMarshal.AsSpan(list);
        Count(sequences.Length, output);
        if (sequences.IsEmpty) return;
        Span<int> literalCodes = stackalloc int[36], offsetCodes = stackalloc int[32], matchCodes = stackalloc int[53];
        literalCodes.Clear();
        offsetCodes.Clear();
        matchCodes.Clear();
        foreach (var s in sequences)
        {
            literalCodes[LiteralCode(s.Literals)]++;
            offsetCodes[OffsetCode(s.Offset)]++;
            matchCodes[MatchCode(s.Match)]++;
        }
        var modes = output.Length;
        output.Byte(0);
        var literals = Table(literalCodes, _literals, LiteralLog, 6, modes, output);
        var offsets = Table(offsetCodes, _offsets, OffsetLog, 4, modes, output);
        var matches = Table(matchCodes, _matches, MatchLog, 2, modes, output);
        Stream(sequences, literals, offsets, matches, output);
    }

    static void Count(int count, ByteWriter output)
    {
        if (count < 128) output.Byte((byte)count);
        else if (count < 0x7F00)
        {
            output.Byte((byte)((count >> 8) + 128));
            output.Byte((byte)count);
        }
        else
        {
            output.Byte(255);
            BinaryPrimitives.WriteUInt16LittleEndian(output.Space(2), (ushort)(count - 0x7F00));
        }
    }

    static FseEncoder Table(ReadOnlySpan<int> counted, FseEncoder standard, int maxLog, int shift, int modes, ByteWriter output)
    {
        var first = counted.IndexOfAnyExcept(0);
        var present = counted.Length - counted.Count(0);
        if (present == 1)
        {
            output.At(modes, 1)[0] |= (byte)(Repeated << shift);
            output.Byte((byte)first);
            var only = new short[first + 1];
            only[first] = 1;
            return FseEncoder.Of(only, 0);
        }
        var own = FseEncoder.For(counted, maxLog);
        if (standard.Covers(counted) && standard.Cost(counted) <= own.Cost(counted) + present * DescriptionBits) return standard; // mode 0
        output.At(modes, 1)[0] |= (byte)(Described << shift);
        own.Describe(output);
        return own;
    }

    // The decoder reads backwards, so all is written in the reverse of the order it is read in.
    static void Stream(ReadOnlySpan<ZstdSequence> sequences, FseEncoder literals, FseEncoder offsets, FseEncoder matches, ByteWriter output)
    {
        var bits = new ForwardBits(output);
        var (literal, offset, match) = (0, 0, 0);
        for (var i = sequences.Length - 1; i >= 0; i--)
        {
            var s = sequences[i];
            var (literalCode, offsetCode, matchCode) = (LiteralCode(s.Literals), OffsetCode(s.Offset), MatchCode(s.Match));
            if (i == sequences.Length - 1) (literal, offset, match) = (literals.Start(literalCode), offsets.Start(offsetCode), matches.Start(matchCode));
            else
            {
                offset = offsets.Step(offsetCode, offset, ref bits);
                match = matches.Step(matchCode, match, ref bits);
                literal = literals.Step(literalCode, literal, ref bits);
            }
            bits.Write((uint)(s.Literals - ZstdTables.LiteralBase[literalCode]), ZstdTables.LiteralBits[literalCode]);
            bits.Write((uint)(s.Match - ZstdTables.MatchBase[matchCode]), ZstdTables.MatchBits[matchCode]);
            bits.Write(s.Offset - (1u << offsetCode), offsetCode);
        }
        bits.Write((uint)match, matches.Log);
        bits.Write((uint)offset, offsets.Log);
        bits.Write((uint)literal, literals.Log);
        bits.End();
    }

    // From 64 literals, and from matches of 131, each power of two has one code (appendix A's bases).
    static int LiteralCode(int literals) => literals >= 64 ? int.Log2(literals) + 19 : Code(ZstdTables.LiteralBase, literals);

    static int MatchCode(int match) => match >= 131 ? int.Log2(match - 3) + 36 : Code(ZstdTables.MatchBase, match);

    static int OffsetCode(uint offset) => (int)uint.Log2(offset);

    static int Code(ReadOnlySpan<int> bases, int value)
    {
        var code = Math.Min(value - bases[0], bases.Length - 1);
        while (bases[code] > value) code--;
        return code;
    }
}
