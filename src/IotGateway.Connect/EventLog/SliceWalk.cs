using IotGateway.Log;
using IotGateway.Log.Records;
using IotGateway.Log.Transactions;

namespace IotGateway.Connect.EventLog;

/// <summary>
/// The committed records of a slice, opened as they are asked for: what a compressed batch opens to is never there at once. Of transactions that
/// are aborted none: a command of one must not be carried out. Not thread-safe.
/// </summary>
sealed class SliceWalk : IDisposable
{
    CommittedBatches _batches;
    RecordReader _records;

    public SliceWalk(Partition partition, LogSlice slice, long from)
    {
        (_batches, Slice) = (partition.Committed(slice), slice);
        From = Next = from;
    }

    public LogSlice Slice { get; }

    /// <summary>Offset it begins at.</summary>
    public long From { get; }

    /// <summary>Offset after what was stepped over; markers and emptied batches hold offsets but no records.</summary>
    public long Next { get; private set; }

    /// <summary>The record stepped on.</summary>
    public Record Current => _records.Current;

    /// <summary>Steps to the next record; false after the last.</summary>
    /// <exception cref="InvalidDataException">A batch cannot be read.</exception>
    /// <exception cref="UnsupportedCompressionException">A batch cannot be opened.</exception>
    public bool MoveNext()
    {
        while (true)
        {
            while (_records.MoveNext())
            {
                if (_records.Current.Offset < Next) continue;
                Next = _records.Current.Offset + 1;
                return true;
            }
            if (_batches.NextOffset > Next) Next = _batches.NextOffset;
            if (!_batches.MoveNext()) return false;
            _records.Dispose();
            _records = new(_batches.Current);
        }
    }

    public void Dispose() => _records.Dispose();
}
