using IotGateway.Log.Records;
using IotGateway.Log.Transactions;

namespace IotGateway.Log.Compaction;

/// <summary>
/// A pass's view of the transactions below the last stable offset, where all are decided: which batches are an aborted one's, and which markers have
/// nothing left to say, for no batch of their transaction came before them in this pass. Batches are to be shown in the order of the log, from its
/// first on. Not thread-safe.
/// </summary>
sealed class TransactionPass
{
    readonly Dictionary<long, List<AbortedTransaction>> _aborted = [];
    readonly HashSet<long> _seen = [];

    public TransactionPass(IEnumerable<AbortedTransaction> aborted)
    {
        foreach (var one in aborted)
        {
            if (!_aborted.TryGetValue(one.ProducerId, out var list)) _aborted.Add(one.ProducerId, list = []);
            list.Add(one);
        }
    }

    /// <summary>Whether the records of a batch that is no marker are nobody's.</summary>
    public bool IsAborted(in RecordBatch batch)
    {
        if (!batch.IsTransactional || !_aborted.TryGetValue(batch.ProducerId, out var list)) return false;
        foreach (var (_, first, last, _) in list)
            if (first <= batch.BaseOffset && batch.BaseOffset < last) return true;
        return false;
    }

    /// <summary>Notes a batch that is no marker, as it was before this pass.</summary>
    public void Saw(in RecordBatch batch)
    {
        if (batch.IsTransactional) _seen.Add(batch.ProducerId);
    }

    /// <summary>Whether a marker's transaction has no batch left.</summary>
    public bool IsSpent(in RecordBatch marker) => !_seen.Remove(marker.ProducerId);

    /// <summary>The aborted transaction that a marker ends, or null.</summary>
    public AbortedTransaction? EndedBy(in RecordBatch marker)
    {
        if (!_aborted.TryGetValue(marker.ProducerId, out var list)) return null;
        foreach (var one in list)
            if (one.LastOffset == marker.BaseOffset) return one;
        return null;
    }
}
