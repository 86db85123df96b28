namespace IotGateway.Log;

/// <summary>A partition. Thread-safe.</summary>
public sealed class Partition
{
    internal Partition(Topic topic, int index) => (Topic, Index) = (topic, index);

    /// <summary>Its topic.</summary>
    public Topic Topic { get; }

    /// <summary>Its number, from 0.</summary>
    public int Index { get; }

    /// <summary>First offset that can be read.</summary>
    public long LogStart => throw new NotSupportedException();

    /// <summary>Offset after the last readable record: nobody reads beyond.</summary>
    public long HighWatermark => throw new NotSupportedException();

    /// <summary>Offset after the last record of a decided transaction; equals the high watermark without transactions.</summary>
    public long LastStableOffset => throw new NotSupportedException();

    /// <summary>Leader epoch: bumped when a start had to cut offsets that may have been seen.</summary>
    public int LeaderEpoch => throw new NotSupportedException();

    /// <summary>Bytes on disk.</summary>
    public long SizeBytes => throw new NotSupportedException();

    /// <summary>
    /// Whole batches from the one holding <paramref name="offset"/> up to the high watermark, at most <paramref name="maxBytes"/>,
    /// but always at least one batch when there is one. Empty at the end of the log.
    /// </summary>
    /// <exception cref="OffsetOutOfRangeException">Below the log start or above the high watermark.</exception>
    public ValueTask<LogSlice> ReadAsync(long offset, int maxBytes, CancellationToken ct) => throw new NotSupportedException();

    /// <summary>First record with a timestamp at or after <paramref name="timestamp"/> (ms); null when there is none.</summary>
    public ValueTask<OffsetAtTime?> FindByTimeAsync(long timestamp, CancellationToken ct) => throw new NotSupportedException();

    /// <summary>The record with the highest timestamp; null when empty.</summary>
    public ValueTask<OffsetAtTime?> FindMaxTimestampAsync(CancellationToken ct) => throw new NotSupportedException();

    /// <summary>End offset of the epoch: the start of the next greater one, or the high watermark; null when unknown.</summary>
    public (int Epoch, long EndOffset)? EndOfEpoch(int epoch) => throw new NotSupportedException();

    /// <summary>Moves the log start up to <paramref name="offset"/> (-1: the high watermark), durably. Returns the new log start.</summary>
    public ValueTask<long> DeleteRecordsAsync(long offset, CancellationToken ct) => throw new NotSupportedException();

    /// <summary>Adds someone to tell when the high watermark advances or the partition goes away.</summary>
    public void Watch(IPartitionWatcher watcher) => throw new NotSupportedException();

    /// <summary>Removes a watcher; harmless when it is not there.</summary>
    public void Unwatch(IPartitionWatcher watcher) => throw new NotSupportedException();
}

/// <summary>Told of new data. Called on the applier's thread: must be quick and must not throw.</summary>
public interface IPartitionWatcher
{
    /// <summary><paramref name="bytes"/> more bytes can be read, or the partition was deleted (0).</summary>
    void Advanced(Partition partition, int bytes);
}

/// <summary>A record's place and time.</summary>
public readonly record struct OffsetAtTime(long Offset, long Timestamp, int LeaderEpoch);

/// <summary>Bytes read from a partition.</summary>
/// <param name="Batches">Whole record batches, back to back; the first may start below the offset asked for.</param>
/// <param name="HighWatermark">As of the reading.</param>
/// <param name="LogStart">As of the reading.</param>
/// <param name="LastStableOffset">As of the reading.</param>
public readonly record struct LogSlice(ReadOnlyMemory<byte> Batches, long HighWatermark, long LogStart, long LastStableOffset);
