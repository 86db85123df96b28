namespace IotGateway.Log.Records.Zstandard;

/// <summary>A Huffman decoding table for literals (RFC 8878 §4.2): indexed by the next bits, at most eleven.</summary>
sealed class HuffmanTable
{
    const int MaxBits = 11, MaxWeightLog = 6;

    readonly byte[] _symbols, _lengths;
    readonly int _bits;

    HuffmanTable(ReadOnlySpan<byte> lengths, int bits)
    {
        (_bits, _symbols, _lengths) = (bits, new byte[1 << bits], new byte[1 << bits]);
        // Codes are handed out from the longest to the shortest, in the symbols' order.
        var at = 0;
        for (var length = bits; length > 0; length--)
        {
            for (var symbol = 0; symbol < lengths.Length; symbol++)
            {
                if (lengths[symbol] != length) continue;
                var span = 1 << (bits - length);
                _symbols.AsSpan(at, span).Fill((byte)symbol);
                _lengths.AsSpan(at, span).Fill((byte)length);
                at += span;
            }
        }
    }

    /// <summary>Reads a tree's description and moves the input behind it.</summary>
    public static HuffmanTable Read(ref ReadOnlySpan<byte> input)
    {
        Span<byte> weights = stackalloc byte[256];
        var header = ZstdFrame.Take(ref input, 1)[0];
        int count;
        if (header >= 128)
        {
            count = header - 127;
            var packed = ZstdFrame.Take(ref input, (count + 1) / 2);
            for (var i = 0; i < count; i++) weights[i] = (byte)(i % 2 == 0 ? packed[i / 2] >> 4 : packed[i / 2] & 15);
        }
        else count = ReadWeights(ZstdFrame.Take(ref input, header), weights);

        var sum = 0;
        for (var i = 0; i < count; i++)
        {
            if (weights[i] > MaxBits) throw new InvalidDataException("A Huffman weight is too large.");
            sum += weights[i] == 0 ? 0 : 1 << (weights[i] - 1);
        }
        if (sum == 0) throw new InvalidDataException("A Huffman tree is empty.");
        var bits = int.Log2(sum) + 1;
        var rest = (1 << bits) - sum;
        if (bits > MaxBits || !int.IsPow2(rest)) throw new InvalidDataException("A Huffman tree's weights do not add up.");
        weights[count++] = (byte)(int.Log2(rest) + 1); // the last weight is what is left
        for (var i = 0; i < count; i++) weights[i] = (byte)(weights[i] == 0 ? 0 : bits + 1 - weights[i]);
        return new(weights[..count], bits);
    }

    /// <summary>Decodes one stream that holds so many literals.</summary>
    public void Decode(ReadOnlySpan<byte> stream, Span<byte> literals)
    {
        var bits = new BackwardBits(stream);
        var mask = (1 << _bits) - 1;
        var state = (int)bits.Read(_bits);
        for (var i = 0; i < literals.Length; i++)
        {
            literals[i] = _symbols[state];
            var length = _lengths[state];
            state = ((state << length) | (int)bits.Read(length)) & mask;
        }
        if (bits.Left != -_bits) throw new InvalidDataException("A Huffman stream has another length than it says.");
    }

    // Two states take turns; the stream ends when a state would read beyond its start.
    static int ReadWeights(ReadOnlySpan<byte> input, Span<byte> weights)
    {
        var table = FseTable.Read(ref input, MaxWeightLog, 256);
        var bits = new BackwardBits(input);
        var (one, two) = (table.Start(ref bits), table.Start(ref bits));
        var count = 0;
        while (true)
        {
            if (count > 253) throw new InvalidDataException("A Huffman tree has too many weights.");
            weights[count++] = table.Symbol(one);
            one = table.Next(one, ref bits);
            if (bits.Left < 0)
            {
                weights[count++] = table.Symbol(two);
                return count;
            }
            (one, two) = (two, one);
        }
    }
}
