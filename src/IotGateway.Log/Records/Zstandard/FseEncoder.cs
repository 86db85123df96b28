using IotGateway.Log.Bytes;

namespace IotGateway.Log.Records.Zstandard;

/// <summary>
/// The encoding side of a finite-state-entropy table (RFC 8878 §4.1.1). A symbol of probability c has c states in the decoder's table; seen backwards,
/// the state t follows from the x-th of them, where t + size shifted right until it lies in [c, 2c) is x. The bits shifted out are written. Immutable.
/// </summary>
sealed class FseEncoder
{
    readonly short[] _counts;
    readonly int[] _firsts;
    readonly ushort[] _states;

    FseEncoder(short[] counts, int log)
    {
        (Log, _counts, _firsts, _states) = (log, counts, new int[counts.Length], new ushort[1 << log]);
        for (int s = 0, sum = 0; s < counts.Length; sum += Math.Abs(counts[s++])) _firsts[s] = sum;
        var table = FseTable.Of(counts, log);
        var seen = new int[counts.Length];
        for (var state = 0; state < _states.Length; state++)
        {
            var symbol = table.Symbol(state);
            _states[_firsts[symbol] + seen[symbol]++] = (ushort)state;
        }
    }

    /// <summary>Bits of a state.</summary>
    public int Log { get; }

    /// <summary>A table as the format predefines it.</summary>
    public static FseEncoder Of(ReadOnlySpan<short> probabilities, int log) => new(probabilities.ToArray(), log);

    /// <summary>A table for what was counted; at least two symbols must have occurred.</summary>
    public static FseEncoder For(ReadOnlySpan<int> counted, int maxLog)
    {
        var (total, present, last) = (0, 0, 0);
        for (var s = 0; s < counted.Length; s++)
        {
            if (counted[s] == 0) continue;
            (total, present, last) = (total + counted[s], present + 1, s);
        }
        // Enough precision for all symbols, but none that the number of occurrences does not justify.
        var log = Math.Clamp(Math.Max(int.Log2(Math.Max(total - 1, 1)) - 1, int.Log2(present) + 1), 5, maxLog);
        return new(Normalised(counted[..(last + 1)], total, log), log);
    }

    /// <summary>Whether every symbol counted has a place in the table.</summary>
    public bool Covers(ReadOnlySpan<int> counted)
    {
        for (var s = 0; s < counted.Length; s++)
            if (counted[s] > 0 && (s >= _counts.Length || _counts[s] == 0)) return false;
        return true;
    }

    /// <summary>About the bits that so many symbols take.</summary>
    public double Cost(ReadOnlySpan<int> counted)
    {
        var bits = 0.0;
        for (var s = 0; s < counted.Length; s++)
            if (counted[s] > 0) bits += counted[s] * (Log - Math.Log2(Math.Abs(_counts[s])));
        return bits;
    }

    /// <summary>The state of the last symbol, with which encoding begins.</summary>
    public int Start(int symbol) => _states[_firsts[symbol]];

    /// <summary>The state of a symbol that is followed by another state; writes what leads from the one to the other.</summary>
    public int Step(int symbol, int next, ref ForwardBits bits)
    {
        var count = Math.Abs(_counts[symbol]);
        var value = next + (1 << Log);
        var shift = Log - int.Log2(count);
        if (value >> shift < count) shift--;
        bits.Write((uint)(value & ((1 << shift) - 1)), shift);
        return _states[_firsts[symbol] + (value >> shift) - count];
    }

    /// <summary>Writes the table's description.</summary>
    public void Describe(ByteWriter output)
    {
        var bits = new ForwardBits(output);
        bits.Write((uint)(Log - 5), 4);
        var left = 1 << Log;
        for (var s = 0; left > 0;)
        {
            var width = int.Log2(left + 1) + 1;
            var spare = (1 << width) - 2 - left; // so many of the low values need one bit less
            var value = _counts[s] + 1;
            var lower = (1 << (width - 1)) - 1;
            if (value < spare) bits.Write((uint)value, width - 1);
            else bits.Write((uint)(value > lower ? value + spare : value), width);
            left -= Math.Abs(_counts[s]);
            if (_counts[s++] != 0) continue;
            var zeros = 0;
            while (_counts[s + zeros] == 0) zeros++;
            s += zeros;
            for (; zeros >= 3; zeros -= 3) bits.Write(3, 2);
            bits.Write((uint)zeros, 2);
        }
        bits.Pad();
    }

    // Every symbol gets its share of the states, at least one; what is missing or too much, the most frequent one bears.
    static short[] Normalised(ReadOnlySpan<int> counted, int total, int log)
    {
        var size = 1 << log;
        var counts = new short[counted.Length];
        var left = size;
        for (var s = 0; s < counted.Length; s++)
        {
            if (counted[s] == 0) continue;
            counts[s] = (short)Math.Max(1, (long)counted[s] * size / total);
            left -= counts[s];
        }
        for (; left != 0; left -= Math.Sign(left))
        {
            var most = 0;
            for (var s = 1; s < counts.Length; s++)
                if (counts[s] > counts[most]) most = s;
            if (left > 0)
            {
                counts[most] += (short)left;
                break;
            }
            counts[most]--;
        }
        return counts;
    }
}
