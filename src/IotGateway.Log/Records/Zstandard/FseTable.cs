namespace IotGateway.Log.Records.Zstandard;

/// <summary>A finite-state-entropy decoding table (RFC 8878 §4.1.1): for each state a symbol, the bits to read and the base of the next state.</summary>
sealed class FseTable
{
    readonly byte[] _symbols;
    readonly byte[] _bits;
    readonly ushort[] _next;

    FseTable(int log) => (Log, _symbols, _bits, _next) = (log, new byte[1 << log], new byte[1 << log], new ushort[1 << log]);

    /// <summary>Bits of a state.</summary>
    public int Log { get; }

    public byte Symbol(int state) => _symbols[state];

    public int Start(ref BackwardBits bits) => (int)bits.Read(Log);

    public int Next(int state, ref BackwardBits bits) => _next[state] + (int)bits.Read(_bits[state]);

    /// <summary>The table that has one symbol only.</summary>
    public static FseTable Single(byte symbol)
    {
        var table = new FseTable(0);
        table._symbols[0] = symbol;
        return table;
    }

    /// <summary>Builds it from probabilities; -1 means "less than one".</summary>
    public static FseTable Of(ReadOnlySpan<short> probabilities, int log)
    {
        var table = new FseTable(log);
        var size = 1 << log;
        Span<int> state = stackalloc int[256];
        var high = size;
        for (var s = 0; s < probabilities.Length; s++)
        {
            if (probabilities[s] != -1) continue;
            table._symbols[--high] = (byte)s;
            state[s] = 1;
        }
        var (step, position) = ((size >> 1) + (size >> 3) + 3, 0);
        for (var s = 0; s < probabilities.Length; s++)
        {
            if (probabilities[s] <= 0) continue;
            state[s] = probabilities[s];
            for (var i = 0; i < probabilities[s]; i++)
            {
                table._symbols[position] = (byte)s;
                do position = (position + step) & (size - 1);
                while (position >= high);
            }
        }
        for (var i = 0; i < size; i++)
        {
            var next = state[table._symbols[i]]++;
            table._bits[i] = (byte)(log - int.Log2(next));
            table._next[i] = (ushort)((next << table._bits[i]) - size);
        }
        return table;
    }

    /// <summary>Reads a table's description and moves the input behind it.</summary>
    public static FseTable Read(ref ReadOnlySpan<byte> input, int maxLog, int maxSymbols)
    {
        var at = 0;
        var log = Bits(input, ref at, 4) + 5;
        if (log > maxLog) throw new InvalidDataException("A Zstandard table is too precise.");
        var probabilities = new short[maxSymbols];
        var (left, symbol) = (1 << log, 0);
        while (left > 0)
        {
            if (symbol >= maxSymbols) throw new InvalidDataException("A Zstandard table has too many symbols.");
            var count = int.Log2(left + 1) + 1;
            var value = Bits(input, ref at, count);
            var lower = (1 << (count - 1)) - 1;
            var threshold = (1 << count) - 2 - left;
            if ((value & lower) < threshold)
            {
                at--;
                value &= lower;
            }
            else if (value > lower) value -= threshold;
            var probability = value - 1;
            left -= Math.Abs(probability);
            probabilities[symbol++] = (short)probability;
            if (probability != 0) continue;
            for (int zeros = 3; zeros == 3;)
            {
                zeros = Bits(input, ref at, 2);
                symbol += zeros;
            }
        }
        if (left != 0 || symbol > maxSymbols) throw new InvalidDataException("A Zstandard table's probabilities do not add up.");
        input = input[((at + 7) / 8)..];
        return Of(probabilities.AsSpan(0, symbol), log);
    }

    static int Bits(ReadOnlySpan<byte> input, ref int at, int count)
    {
        var value = 0;
        for (var i = 0; i < count; i++, at++)
        {
            if (at >> 3 >= input.Length) throw new InvalidDataException("A Zstandard table ends too early.");
            value |= ((input[at >> 3] >> (at & 7)) & 1) << i;
        }
        return value;
    }
}
