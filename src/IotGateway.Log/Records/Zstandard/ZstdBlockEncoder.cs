using IotGateway.Log.Bytes;
using IotGateway.Log.Records.Packers;

namespace IotGateway.Log.Records.Zstandard;

/// <summary>Turns one block after the other into literals and sequences (RFC 8878 §3.1.1.3). Carries the recent offsets on, as the decoder does. Not thread-safe.</summary>
ref struct ZstdBlockEncoder(MatchFinder finder, bool lazily)
{
    MatchFinder _finder = finder;
    readonly List<ZstdSequence> _sequences = [];
    readonly byte[] _literals = new byte[ZstdBlocks.MaxBlock];
    readonly int[] _recent = [1, 4, 8], _before = [1, 4, 8];
    int _literalCount;

    /// <summary>Writes a compressed block without its header.</summary>
    public void Encode(ReadOnlySpan<byte> input, int at, int length, ByteWriter output)
    {
        _recent.CopyTo(_before, 0);
        _sequences.Clear();
        _literalCount = 0;
        Split(input, at, at + length);
        ZstdLiterals.Encode(_literals.AsSpan(0, _literalCount), output);
        ZstdSequences.Encode(_sequences, output);
    }

    /// <summary>The block was not written as encoded, so the decoder will not have seen its offsets.</summary>
    public readonly void Forget() => _before.CopyTo(_recent, 0);

    void Split(ReadOnlySpan<byte> input, int at, int end)
    {
        var literals = at;
        while (at + MatchFinder.MinMatch <= end)
        {
            var (distance, count) = Match(input, at, end, at == literals);
            if (count == 0)
            {
                at += 1 + ((at - literals) >> 8); // what has not matched for long will not either
                continue;
            }
            if (lazily && at + 1 + MatchFinder.MinMatch <= end)
            {
                var later = Match(input, at + 1, end, false);
                if (later.Length > count + 1) (at, distance, count) = (at + 1, later.Distance, later.Length);
            }
            Sequence(input[literals..at], distance, count);
            literals = at += count;
        }
        Literals(input[literals..end]);
    }

    // A match at a recent offset costs next to nothing, so it is taken where another is hardly longer.
    (int Distance, int Length) Match(ReadOnlySpan<byte> input, int at, int end, bool noLiterals)
    {
        var (distance, length) = _finder.Find(at, end);
        for (var i = noLiterals ? 1 : 0; i < _recent.Length; i++)
        {
            if (_recent[i] > at) continue;
            var again = _finder.Common(at - _recent[i], at, end);
            if (again >= MatchFinder.MinMatch && again + 3 >= length) (distance, length) = (_recent[i], again);
        }
        return (distance, length);
    }

    void Sequence(ReadOnlySpan<byte> literals, int distance, int count)
    {
        Literals(literals);
        _sequences.Add(new(literals.Length, count, Offset(distance, literals.Length)));
    }

    void Literals(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_literals.AsSpan(_literalCount));
        _literalCount += bytes.Length;
    }

    // §3.1.1.5: 1 to 3 are the recent ones, shifted by one after no literals; any other is the distance plus three.
    readonly uint Offset(int distance, int literals)
    {
        var shift = literals == 0 ? 1 : 0;
        var index = Array.IndexOf(_recent, distance, shift);
        var value = index >= 0 ? index - shift + 1 : shift == 1 && distance == _recent[0] - 1 ? 3 : distance + 3;
        if (index == 0) return (uint)value;
        if (index != 1) _recent[2] = _recent[1];
        _recent[1] = _recent[0];
        _recent[0] = distance;
        return (uint)value;
    }
}
