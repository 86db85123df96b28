using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;

namespace IotGateway.Connect.EventLog;

/// <summary>
/// The arrays one reader reads into, used again once it is said that nobody looks at them any more (<see cref="Reclaim"/>). A pool of its own: who keeps bytes too
/// long can only see later ones of the same reader. What is never reclaimed is left to the collector. Not thread-safe.
/// </summary>
sealed class SliceArrays : ArrayPool<byte>
{
    /// <summary>Bytes it holds on to at most, lent and spare; larger arrays are made for one use.</summary>
    public const int KeptBytes = 16 << 20;

    const int Least = 4096, Small = 256 << 10;
    readonly List<byte[]> _spare = [], _lent = []; // lent: the oldest first
    long _bytes; // of both

    /// <summary>The smallest spare array of at least that many bytes, or a new one. Its content is anything.</summary>
    public override byte[] Rent(int minimumLength)
    {
        if (minimumLength > KeptBytes) return GC.AllocateUninitializedArray<byte>(minimumLength);
        var best = -1;
        for (var i = 0; i < _spare.Count; i++)
            if (_spare[i].Length >= minimumLength && (best < 0 || _spare[i].Length < _spare[best].Length)) best = i;
        byte[] array;
        if (best >= 0)
        {
            array = _spare[best];
            _spare.RemoveAt(best);
        }
        else
        {
            array = GC.AllocateUninitializedArray<byte>((int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(minimumLength, Least)));
            _bytes += array.Length;
            // None of the spare ones is large enough. A lent one that is forgotten stays valid, but does not come back.
            while (_bytes > KeptBytes) Forget(_spare.Count > 0 ? _spare : _lent, 0);
        }
        _lent.Add(array);
        return array;
    }

    /// <summary>Takes one array back; without effect for what was not lent or is forgotten.</summary>
    public override void Return(byte[] array, bool clearArray = false)
    {
        if (!_lent.Remove(array)) return;
        if (clearArray) Array.Clear(array);
        _spare.Add(array);
    }

    /// <summary>Takes back all that is lent, but for the array these bytes are in.</summary>
    public void Reclaim(ReadOnlyMemory<byte> stillRead)
    {
        MemoryMarshal.TryGetArray(stillRead, out var kept);
        for (var i = _lent.Count - 1; i >= 0; i--)
        {
            if (ReferenceEquals(_lent[i], kept.Array)) continue;
            _spare.Add(_lent[i]);
            _lent.RemoveAt(i);
        }
    }

    /// <summary>Lets large spare arrays go: what trickles in needs none.</summary>
    public void Trim()
    {
        for (var i = _spare.Count - 1; i >= 0; i--)
            if (_spare[i].Length > Small) Forget(_spare, i);
    }

    void Forget(List<byte[]> list, int at)
    {
        _bytes -= list[at].Length;
        list.RemoveAt(at);
    }
}
