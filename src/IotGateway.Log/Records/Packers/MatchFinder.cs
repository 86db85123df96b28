using System.Buffers;
using System.Buffers.Binary;

namespace IotGateway.Log.Records.Packers;

/// <summary>
/// Finds earlier occurrences of what stands at a place: chains of places with equal hashes of four bytes, the nearest first, looked at up to a depth.
/// Places must be given in order. Not thread-safe. Give its tables back by <see cref="Dispose"/>.
/// </summary>
ref struct MatchFinder
{
    public const int MinMatch = 4;
    const int MaxHashBits = 16, MinHashBits = 8;

    readonly ReadOnlySpan<byte> _bytes;
    readonly int[] _heads, _before;
    readonly int _window, _depth, _shift;
    int _next;

    /// <param name="bytes">All that is to be packed.</param>
    /// <param name="window">Greatest distance.</param>
    /// <param name="depth">Most places looked at for one match.</param>
    public MatchFinder(ReadOnlySpan<byte> bytes, int window, int depth)
    {
        _bytes = bytes;
        (_window, _depth) = (window, depth);
        var bits = Math.Clamp(int.Log2(Math.Max(bytes.Length, 1)), MinHashBits, MaxHashBits);
        _shift = 32 - bits;
        _heads = ArrayPool<int>.Shared.Rent(1 << bits);
        _heads.AsSpan(0, 1 << bits).Fill(-1);
        _before = ArrayPool<int>.Shared.Rent(Math.Max(bytes.Length, 1));
    }

    public readonly void Dispose()
    {
        ArrayPool<int>.Shared.Return(_heads);
        ArrayPool<int>.Shared.Return(_before);
    }

    /// <summary>The longest match found at a place, at most up to <paramref name="end"/>; length 0 when there is none.</summary>
    public (int Distance, int Length) Find(int at, int end)
    {
        if (at + MinMatch > end) return default;
        Enter(at);
        var (best, distance) = (MinMatch - 1, 0);
        var wanted = BinaryPrimitives.ReadUInt32LittleEndian(_bytes[at..]);
        var candidate = _before[at];
        for (var left = _depth; left > 0 && candidate >= 0 && at - candidate <= _window; left--, candidate = _before[candidate])
        {
            // A longer match has to have the byte behind the best one so far.
            if (at + best >= end || _bytes[candidate + best] != _bytes[at + best] || BinaryPrimitives.ReadUInt32LittleEndian(_bytes[candidate..]) != wanted) continue;
            var length = Common(candidate, at, end);
            if (length > best) (best, distance) = (length, at - candidate);
        }
        return distance == 0 ? default : (distance, best);
    }

    /// <summary>How many bytes are the same at two places.</summary>
    public readonly int Common(int earlier, int at, int end) => _bytes[at..end].CommonPrefixLength(_bytes[earlier..]);

    // Puts all places up to this one into the chains.
    void Enter(int at)
    {
        for (; _next <= at && _next + MinMatch <= _bytes.Length; _next++)
        {
            ref var head = ref _heads[(BinaryPrimitives.ReadUInt32LittleEndian(_bytes[_next..]) * 2654435761u) >> _shift]; // Knuth's multiplicative hash
            _before[_next] = head;
            head = _next;
        }
    }
}
