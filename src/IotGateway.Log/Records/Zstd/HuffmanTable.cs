namespace IotGateway.Log.Records.Zstd;

/// <summary>A decoding table for literals (RFC 8878 §4.2). Immutable.</summary>
sealed class HuffmanTable
{
    const int MaxBits = 11, MaxWeights = 255; // §4.2.1
    readonly byte[] _symbols;
    readonly byte[] _lengths;
    readonly int _bits;

    HuffmanTable(ReadOnlySpan<byte> weights, int bits)
    {
        _bits = bits;
        (_symbols, _lengths) = (new byte[1 << bits], new byte[1 << bits]);
        var at = 0;
        for (var weight = 1; weight <= bits; weight++)
        {
            for (var symbol = 0; symbol < weights.Length; symbol++)
            {
                if (weights[symbol] != weight) continue;
                var span = 1 << weight - 1;
                _symbols.AsSpan(at, span).Fill((byte)symbol);
                _lengths.AsSpan(at, span).Fill((byte)(bits + 1 - weight));
                at += span;
            }
        }
    }

    /// <summary>Reads a tree's description; moves <paramref name="source"/> past it.</summary>
    public static HuffmanTable Read(ref ReadOnlySpan<byte> source)
    {
        Span<byte> weights = stackalloc byte[MaxWeights + 1];
        weights.Clear();
        var header = ZstdDecoder.Take(ref source, 1)[0];
        int count;
        if (header >= 128) // §4.2.1.1: four bits each
        {
            count = header - 127;
            var packed = ZstdDecoder.Take(ref source, (count + 1) / 2);
            for (var i = 0; i < count; i++) weights[i] = (byte)((i & 1) == 0 ? packed[i / 2] >> 4 : packed[i / 2] & 15);
        }
        else count = ReadCompressed(ZstdDecoder.Take(ref source, header), weights);

        var sum = 0;
        foreach (var weight in weights[..count])
        {
            if (weight > MaxBits) throw new InvalidDataException("zstd: a code is too long.");
            if (weight > 0) sum += 1 << weight - 1;
        }
        if (sum == 0) throw new InvalidDataException("zstd: a tree without symbols.");
        var bits = int.Log2(sum) + 1;
        var left = (1 << bits) - sum; // the last weight completes a power of two
        if (bits > MaxBits || !int.IsPow2(left)) throw new InvalidDataException("zstd: a tree that is not complete.");
        weights[count++] = (byte)(int.Log2(left) + 1);
        return new HuffmanTable(weights[..count], bits);
    }

    /// <summary>Weights compressed with two interleaved states (§4.2.1.2).</summary>
    static int ReadCompressed(ReadOnlySpan<byte> source, Span<byte> weights)
    {
        var table = FseTable.Read(ref source, 6, MaxBits + 1);
        var bits = new BackwardBits(source);
        var (even, odd, count) = ((int)bits.Read(table.Accuracy), (int)bits.Read(table.Accuracy), 0);
        while (true)
        {
            if (count > MaxWeights - 2) throw new InvalidDataException("zstd: a tree with too many symbols.");
            weights[count++] = table.Symbol(even);
            even = table.Next(even, ref bits);
            if (bits.Left < 0) { weights[count++] = table.Symbol(odd); return count; }
            weights[count++] = table.Symbol(odd);
            odd = table.Next(odd, ref bits);
            if (bits.Left < 0) { weights[count++] = table.Symbol(even); return count; }
        }
    }

    /// <summary>Decodes one stream, which must give exactly the symbols asked for.</summary>
    public void Decode(ReadOnlySpan<byte> source, Span<byte> target)
    {
        var bits = new BackwardBits(source);
        for (var i = 0; i < target.Length; i++)
        {
            var code = (int)bits.Peek(_bits);
            target[i] = _symbols[code];
            bits.Skip(_lengths[code]);
        }
        if (bits.Left != 0) throw new InvalidDataException("zstd: a literal stream of the wrong length.");
    }
}
