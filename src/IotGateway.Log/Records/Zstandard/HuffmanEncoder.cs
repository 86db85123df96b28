using IotGateway.Log.Bytes;

namespace IotGateway.Log.Records.Zstandard;

/// <summary>A Huffman code for literals (RFC 8878 §4.2), lengths limited to eleven bits. Immutable.</summary>
sealed class HuffmanEncoder
{
    const int MaxBits = 11, MaxWeightLog = 6, MostDirectWeights = 128;

    readonly byte[] _lengths;
    readonly ushort[] _codes = new ushort[256];
    readonly int _bits;

    HuffmanEncoder(byte[] lengths)
    {
        (_lengths, _bits) = (lengths, lengths.Max());
        // As the decoder hands them out: from the longest to the shortest, in the symbols' order.
        var at = 0;
        for (var length = _bits; length > 0; length--)
        {
            for (var symbol = 0; symbol < lengths.Length; symbol++)
            {
                if (lengths[symbol] != length) continue;
                _codes[symbol] = (ushort)(at >> (_bits - length));
                at += 1 << (_bits - length);
            }
        }
    }

    /// <summary>The code for so many occurrences of each byte; at least two bytes must have occurred.</summary>
    public static HuffmanEncoder For(ReadOnlySpan<int> counted)
    {
        var lengths = Lengths(counted);
        Limit(lengths, counted);
        return new(lengths);
    }

    /// <summary>Bits that so many occurrences take.</summary>
    public long Cost(ReadOnlySpan<int> counted)
    {
        long bits = 0;
        for (var s = 0; s < counted.Length; s++) bits += (long)counted[s] * _lengths[s];
        return bits;
    }

    /// <summary>Writes the tree's description; false where the format has none for it.</summary>
    public bool Describe(ByteWriter output)
    {
        var last = Array.FindLastIndex(_lengths, l => l > 0);
        var weights = new byte[last]; // the last one follows from the others
        for (var s = 0; s < last; s++) weights[s] = (byte)(_lengths[s] == 0 ? 0 : _bits + 1 - _lengths[s]);
        var start = output.Length;
        if (Packed(weights, output) && (last > MostDirectWeights || output.Length - start <= 1 + (last + 1) / 2)) return true;
        output.MoveTo(start);
        if (last > MostDirectWeights) return false;
        output.Byte((byte)(127 + last));
        for (var s = 0; s < last; s += 2) output.Byte((byte)((weights[s] << 4) | (s + 1 < last ? weights[s + 1] : 0)));
        return true;
    }

    /// <summary>Writes one stream.</summary>
    public void Encode(ReadOnlySpan<byte> literals, ByteWriter output)
    {
        var bits = new ForwardBits(output);
        for (var i = literals.Length - 1; i >= 0; i--) bits.Write(_codes[literals[i]], _lengths[literals[i]]);
        bits.End();
    }

    // Two states take turns, from the last weight to the first (RFC 8878 §4.2.1.2).
    static bool Packed(byte[] weights, ByteWriter output)
    {
        Span<int> counted = stackalloc int[MaxBits + 1];
        foreach (var weight in weights) counted[weight]++;
        if (weights.Length < 2 || counted.IndexOf(weights.Length) >= 0) return false;
        var start = output.Length;
        output.Byte(0);
        var table = FseEncoder.For(counted, MaxWeightLog);
        table.Describe(output);
        var bits = new ForwardBits(output);
        Span<int> states = stackalloc int[2];
        for (var i = weights.Length - 1; i >= 0; i--)
            states[i & 1] = i >= weights.Length - 2 ? table.Start(weights[i]) : table.Step(weights[i], states[i & 1], ref bits);
        bits.Write((uint)states[1], table.Log);
        bits.Write((uint)states[0], table.Log);
        bits.End();
        var size = output.Length - start - 1;
        output.At(start, 1)[0] = (byte)size;
        return size < 128;
    }

    static byte[] Lengths(ReadOnlySpan<int> counted)
    {
        // Leaves first, then the nodes that join the two rarest of what is left; of each its parent.
        var nodes = new PriorityQueue<int, (long Count, int Node)>();
        var parents = new int[512];
        for (var s = 0; s < counted.Length; s++)
            if (counted[s] > 0) nodes.Enqueue(s, (counted[s], s));
        var next = 256;
        while (nodes.TryDequeue(out var one, out var first) && nodes.TryDequeue(out var two, out var second))
        {
            parents[one] = parents[two] = next;
            nodes.Enqueue(next, (first.Count + second.Count, next));
            next++;
        }
        var lengths = new byte[256];
        for (var s = 0; s < counted.Length; s++)
            if (counted[s] > 0)
                for (var at = s; parents[at] != 0; at = parents[at]) lengths[s]++;
        return lengths;
    }

    // Cuts what is too long, and pays for it by making others longer; what is then left over makes some shorter again: the code must be complete.
    static void Limit(byte[] lengths, ReadOnlySpan<int> counted)
    {
        if (lengths.Max() <= MaxBits) return;
        var room = 1 << MaxBits;
        for (var s = 0; s < lengths.Length; s++)
        {
            if (lengths[s] == 0) continue;
            lengths[s] = Math.Min(lengths[s], (byte)MaxBits);
            room -= 1 << (MaxBits - lengths[s]);
        }
        for (; room < 0; room += 1 << (MaxBits - lengths[Rarest(lengths, counted, MaxBits - 1, int.MaxValue)]++ - 1)) { }
        while (room > 0)
        {
            var s = Rarest(lengths, counted, MaxBits, room);
            room -= 1 << (MaxBits - lengths[s]--);
        }
    }

    // The rarest of the longest codes up to a length whose step costs no more than so much.
    static int Rarest(byte[] lengths, ReadOnlySpan<int> counted, int longest, int most)
    {
        var found = -1;
        for (var s = 0; s < lengths.Length; s++)
        {
            if (lengths[s] == 0 || lengths[s] > longest || 1 << (MaxBits - lengths[s]) > most) continue;
            if (found < 0 || lengths[s] > lengths[found] || (lengths[s] == lengths[found] && counted[s] < counted[found])) found = s;
        }
        return found;
    }
}
