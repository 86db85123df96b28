using IotGateway.Log.Records;

namespace IotGateway.Log.Transactions;

/// <summary>
/// Steps over the batches of a slice as a reader of committed records sees them: up to the last stable offset, and of each whether its records
/// count. Made right after the slice was read. Not thread-safe.
/// </summary>
public struct CommittedBatches
{
    readonly IReadOnlyList<AbortedTransaction> _aborted;
    readonly long _stable;
    ReadOnlyMemory<byte> _rest;

    internal CommittedBatches(Partition partition, LogSlice slice)
    {
        (_rest, _stable) = (slice.Batches, slice.LastStableOffset);
        _aborted = _rest.IsEmpty ? [] : partition.AbortedTransactions(new RecordBatch(_rest.Span).BaseOffset, _stable);
    }

    /// <summary>The batch stepped on, for <see cref="RecordReader"/>; empty when its records do not count.</summary>
    public ReadOnlyMemory<byte> Current { get; private set; }

    /// <summary>Offset after the batch stepped on.</summary>
    public long NextOffset { get; private set; }

    /// <summary>For <c>foreach</c>.</summary>
    public readonly CommittedBatches GetEnumerator() => this;

    /// <summary>Steps to the next batch; false after the last, or before the first that is not decided.</summary>
    public bool MoveNext()
    {
        if (_rest.IsEmpty) return false;
        var batch = new RecordBatch(_rest.Span);
        if (batch.BaseOffset >= _stable) return false;
        if (!batch.IsWhole) throw new InvalidDataException($"The batch at offset {batch.BaseOffset} is cut off or has an impossible size.");
        NextOffset = batch.LastOffset + 1;
        Current = batch.IsControl || (batch.IsTransactional && IsAborted(batch)) ? default : _rest[..batch.Size];
        _rest = _rest[batch.Size..];
        return true;
    }

    readonly bool IsAborted(in RecordBatch batch)
    {
        foreach (var (producer, first, last, _) in _aborted)
            if (producer == batch.ProducerId && first <= batch.BaseOffset && batch.BaseOffset < last) return true;
        return false;
    }
}
