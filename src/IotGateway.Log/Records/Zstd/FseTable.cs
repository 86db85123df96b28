namespace IotGateway.Log.Records.Zstd;

/// <summary>A decoding table of finite state entropy (RFC 8878 §4.1). Immutable.</summary>
sealed class FseTable
{
    readonly byte[] _symbols;
    readonly byte[] _bits;
    readonly ushort[] _baselines;

    /// <param name="accuracy">log2 of the number of states.</param>
    /// <param name="probabilities">By symbol; -1 means "less than one".</param>
    public FseTable(int accuracy, ReadOnlySpan<short> probabilities)
    {
        var size = 1 << accuracy;
        Accuracy = accuracy;
        (_symbols, _bits, _baselines) = (new byte[size], new byte[size], new ushort[size]);
        Span<int> next = stackalloc int[256];
        var high = size;
        for (var s = 0; s < probabilities.Length; s++)
        {
            if (probabilities[s] == -1) { _symbols[--high] = (byte)s; next[s] = 1; }
            else next[s] = probabilities[s];
        }
        var (step, position) = ((size >> 1) + (size >> 3) + 3, 0); // §4.1.1: how symbols are spread
        for (var s = 0; s < probabilities.Length; s++)
        {
            for (var i = 0; i < probabilities[s]; i++)
            {
                _symbols[position] = (byte)s;
                do position = position + step & size - 1; while (position >= high);
            }
        }
        for (var i = 0; i < size; i++)
        {
            var state = next[_symbols[i]]++;
            _bits[i] = (byte)(accuracy - int.Log2(state));
            _baselines[i] = (ushort)((state << _bits[i]) - size);
        }
    }

    FseTable(byte symbol) => (_symbols, _bits, _baselines) = ([symbol], [0], [0]);

    /// <summary>log2 of the number of states.</summary>
    public int Accuracy { get; }

    /// <summary>A table that always gives one symbol (RLE mode).</summary>
    public static FseTable Of(byte symbol) => new(symbol);

    /// <summary>The symbol of a state.</summary>
    public byte Symbol(int state) => _symbols[state];

    /// <summary>The state that follows.</summary>
    public int Next(int state, ref BackwardBits bits) => _baselines[state] + (int)bits.Read(_bits[state]);

    /// <summary>Reads a table's description; moves <paramref name="source"/> past it.</summary>
    public static FseTable Read(ref ReadOnlySpan<byte> source, int maxAccuracy, int maxSymbol)
    {
        var bits = new ForwardBits(source);
        var accuracy = (int)bits.Read(4) + 5;
        if (accuracy > maxAccuracy) throw new InvalidDataException($"zstd: accuracy {accuracy} is above {maxAccuracy}.");
        Span<short> probabilities = stackalloc short[maxSymbol + 1];
        var (remaining, symbol) = (1 << accuracy, 0);
        while (remaining > 0)
        {
            if (symbol > maxSymbol) throw new InvalidDataException("zstd: a table with too many symbols.");
            var width = int.Log2(remaining + 1) + 1;
            var value = (int)bits.Peek(width);
            var (mask, threshold) = ((1 << width - 1) - 1, (1 << width) - 2 - remaining);
            if ((value & mask) < threshold) { value &= mask; bits.Skip(width - 1); }
            else { if (value > mask) value -= threshold; bits.Skip(width); }
            probabilities[symbol++] = (short)(value - 1);
            remaining -= Math.Abs(value - 1);
            if (value != 1) continue;
            for (var zeros = 3; zeros == 3;)
            {
                zeros = (int)bits.Read(2);
                symbol += zeros;
                if (symbol > maxSymbol + 1) throw new InvalidDataException("zstd: a table with too many symbols.");
            }
        }
        if (remaining < 0) throw new InvalidDataException("zstd: a table whose probabilities do not add up.");
        source = source[bits.BytesRead..];
        return new FseTable(accuracy, probabilities[..symbol]);
    }
}
