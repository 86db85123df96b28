using System.Collections.Immutable;
using IotGateway.Log.Bytes;
using IotGateway.Log.Records;

namespace IotGateway.Log.Transactions;

/// <summary>
/// A partition's transactions as readers may know them: first offsets of the open ones, and the aborted ones. The applier tells it of every
/// batch before the batch can be read (<see cref="Observe"/>, which passes over what it saw before); anyone reads. About 32 bytes are kept of
/// each aborted transaction until the log start has passed it or compaction has removed its marker.
/// </summary>
sealed class PartitionTransactions
{
    readonly Lock _gate = new();
    readonly Dictionary<long, long> _open = [];
    ImmutableList<AbortedTransaction> _aborted = [];
    long _observed, _firstOpen = long.MaxValue;
    bool _ended;

    /// <summary>First offset of the oldest open transaction; the greatest number when none is open.</summary>
    public long FirstOpen => Volatile.Read(ref _firstOpen);

    /// <summary>Takes over what the checkpoint says.</summary>
    public void Restore(IReadOnlyList<ProducerSnapshot> producers, IReadOnlyList<AbortedTransaction> aborted, long observed)
    {
        _observed = observed;
        if (producers.Count == 0 && aborted.Count == 0) return; // of most partitions of a large log
        foreach (var producer in producers)
            if (producer.OpenSince >= 0) _open[producer.ProducerId] = producer.OpenSince;
        _aborted = [.. aborted];
        _firstOpen = _open.Count == 0 ? long.MaxValue : _open.Values.Min();
    }

    public void Observe(ReadOnlySpan<byte> batches)
    {
        for (; !batches.IsEmpty; batches = batches[new RecordBatch(batches).Size..])
        {
            var batch = new RecordBatch(batches);
            if (batch.BaseOffset < _observed) continue;
            _observed = batch.LastOffset + 1;
            if (!batch.IsTransactional) continue;
            if (batch.IsControl) End(batch);
            else if (_open.TryAdd(batch.ProducerId, batch.BaseOffset) && _open.Count == 1) Volatile.Write(ref _firstOpen, batch.BaseOffset);
        }
    }

    /// <summary>Whether a transaction ended since this was last asked: more may be stable than the bytes that came. The applier's.</summary>
    public bool TakeEnded()
    {
        var ended = _ended;
        _ended = false;
        return ended;
    }

    /// <summary>Aborted transactions with records between the offsets.</summary>
    public IReadOnlyList<AbortedTransaction> Aborted(long from, long to)
    {
        var aborted = Volatile.Read(ref _aborted);
        var low = 0; // they lie in the order of their markers
        for (var high = aborted.Count; low < high;)
        {
            var middle = (low + high) / 2;
            if (aborted[middle].LastOffset < from) low = middle + 1;
            else high = middle;
        }
        List<AbortedTransaction> found = [];
        for (; low < aborted.Count; low++)
        {
            var one = aborted[low];
            if (one.FirstOffset < to) found.Add(one);
            if (one.LastStableOffset >= to) break; // whatever was decided later began later
        }
        return found;
    }

    /// <summary>The one whose abort marker has the offset, or null.</summary>
    public AbortedTransaction? EndedAt(long offset)
    {
        var found = Aborted(offset, long.MaxValue);
        return found.Count > 0 && found[0].LastOffset == offset ? found[0] : null;
    }

    /// <summary>Forgets what lies below the log start.</summary>
    public void DropBelow(long logStart)
    {
        lock (_gate)
            if (_aborted.Count > 0 && _aborted[0].LastOffset < logStart) Volatile.Write(ref _aborted, _aborted.RemoveAll(a => a.LastOffset < logStart));
    }

    /// <summary>Forgets those whose abort markers had the offsets: compaction has removed them, with all their transactions wrote.</summary>
    public void Forget(IReadOnlyList<long> markers)
    {
        if (markers.Count == 0) return;
        var gone = markers.ToHashSet();
        lock (_gate) Volatile.Write(ref _aborted, _aborted.RemoveAll(a => gone.Contains(a.LastOffset)));
    }

    public void Write(ByteWriter to)
    {
        var aborted = _aborted;
        to.Int(aborted.Count);
        foreach (var (producer, first, last, stable) in aborted)
        {
            to.Long(producer);
            to.Long(first);
            to.Long(last);
            to.Long(stable);
        }
    }

    public static List<AbortedTransaction> Read(ref ByteReader from)
    {
        List<AbortedTransaction> aborted = new(0);
        for (var left = from.Count(32); left > 0; left--) aborted.Add(new(from.Long(), from.Long(), from.Long(), from.Long()));
        return aborted;
    }

    // The aborted one is there before the last stable offset passes it: a reader who sees that offset sees this too.
    void End(in RecordBatch marker)
    {
        if (!_open.Remove(marker.ProducerId, out var first)) return;
        var open = _open.Count == 0 ? long.MaxValue : _open.Values.Min();
        if (!Marker.Commits(marker))
            lock (_gate) Volatile.Write(ref _aborted, _aborted.Add(new(marker.ProducerId, first, marker.BaseOffset, Math.Min(open, marker.LastOffset + 1))));
        Volatile.Write(ref _firstOpen, open);
        _ended = true;
    }
}
