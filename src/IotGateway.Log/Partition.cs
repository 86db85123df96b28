using System.Buffers;
using System.Collections.Immutable;
using IotGateway.Log.Commit;
using IotGateway.Log.Records;
using IotGateway.Log.Scrub;
using IotGateway.Log.Segments;
using IotGateway.Log.Transactions;

namespace IotGateway.Log;

/// <summary>
/// A partition. Thread-safe: the committer owns <see cref="Tail"/>, the applier <see cref="Files"/> and the watermarks; readers see what the
/// applier has published.
/// </summary>
public sealed class Partition
{
    readonly LogStore _store;
    readonly SegmentReader _reader;
    long _logStart, _highWatermark;
    ImmutableArray<IPartitionWatcher> _watchers = [];
    ImmutableArray<EpochStart> _epochs = [new(0, 0)];

    internal Partition(Topic topic, int index, LogStore store, PartitionFiles files, SegmentReader reader)
        => (Topic, Index, _store, Files, _reader) = (topic, index, store, files, reader);

    /// <summary>Its topic.</summary>
    public Topic Topic { get; }

    /// <summary>Its number, from 0.</summary>
    public int Index { get; }

    /// <summary>First offset that can be read.</summary>
    public long LogStart => Volatile.Read(ref _logStart);

    /// <summary>Offset after the last readable record: nobody reads beyond.</summary>
    public long HighWatermark => Volatile.Read(ref _highWatermark);

    /// <summary>First offset of the oldest open transaction, or the high watermark: who reads committed records only, reads no further.</summary>
    public long LastStableOffset => StableUpTo(HighWatermark);

    /// <summary>Leader epoch: bumped when a start had to cut offsets that may have been seen.</summary>
    public int LeaderEpoch => Epochs[^1].Epoch;

    /// <summary>Bytes on disk.</summary>
    public long SizeBytes => Files.SizeBytes;

    internal LogStore Store => _store;
    internal PartitionTail Tail { get; } = new();
    internal PartitionFiles Files { get; }
    internal MemoryTail Memory { get; } = new();
    internal PartitionTransactions Transactions { get; } = new();
    internal ImmutableArray<EpochStart> Epochs => _epochs;

    /// <summary>
    /// Whole batches from the one holding <paramref name="offset"/> up to the high watermark, at most <paramref name="maxBytes"/>,
    /// but always at least one batch when there is one. Empty at the end of the log.
    /// </summary>
    /// <exception cref="OffsetOutOfRangeException">Below the log start or above the high watermark.</exception>
    /// <remarks>What the disk has spoilt is a hole in the offsets: reading goes on behind it.</remarks>
    public ValueTask<LogSlice> ReadAsync(long offset, int maxBytes, CancellationToken ct) => ReadAsync(offset, maxBytes, null, ct);

    /// <summary>
    /// The same into an array rented from a pool, whose the batches then are: who asked gives it back, or leaves it to the collector. What is not in a
    /// segment yet comes in an array of its own.
    /// </summary>
    public ValueTask<LogSlice> ReadAsync(long offset, int maxBytes, ArrayPool<byte>? pool, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        while (true)
        {
            var (start, end) = (LogStart, HighWatermark);
            if (offset < start || offset > end) throw new OffsetOutOfRangeException(offset, start, end);
            if (offset == end) return new(new LogSlice(default, end, start, StableUpTo(end)));
            // Written before the watermark was read or after: either way the segments have the offset, or the memory does, or it just moved.
            if (offset >= Files.Written)
            {
                // If it moved meanwhile, what the memory gave lies behind it.
                if (Memory.Copy(offset, maxBytes) is { } copy && offset >= Files.Written) return new(new LogSlice(copy, end, start, StableUpTo(end)));
                continue;
            }
            var version = Files.Version;
            try
            {
                var batches = _reader.Read(Files.Segments, offset, end, maxBytes, pool);
                if (Steady(version)) return new(new LogSlice(batches, end, start, StableUpTo(end)));
            }
            catch (Exception e) when (e is RottenException or Disk.DiskException && !Steady(version))
            {
                // Compaction put other files in place meanwhile: what was read counts for nothing.
            }
            catch (Exception e) when (e is RottenException or Disk.DiskException && (offset < LogStart || Topic.Deleted))
            {
                // Retention or deletion took the file meanwhile.
                throw new OffsetOutOfRangeException(offset, LogStart, HighWatermark);
            }
            catch (RottenException rot)
            {
                return PastRotAsync(rot, offset, maxBytes, ct);
            }
        }
    }

    /// <summary>Aborted transactions with records from one offset up to another; to be asked after the records were read.</summary>
    public IReadOnlyList<AbortedTransaction> AbortedTransactions(long from, long to) => Transactions.Aborted(from, to);

    /// <summary>Which of the batches read a reader of committed records gets: not those of open and aborted transactions, no markers.</summary>
    public CommittedBatches Committed(LogSlice slice) => new(this, slice);

    /// <summary>The producers it knows.</summary>
    public ValueTask<IReadOnlyList<ProducerSnapshot>> ProducersAsync(CancellationToken ct) => _store.ProducersAsync(this, ct);

    /// <summary>Who appended the record at an offset that can be read, as told with it (<see cref="LogUnit.Append"/>); null when nobody said.</summary>
    /// <remarks>There before the record is, on topics of durability <c>fsync</c>; on others the record may be read first.</remarks>
    public string? OriginOf(long offset) => _store.OriginOf(this, offset);

    /// <summary>First record with a timestamp at or after <paramref name="timestamp"/> (ms); null when there is none.</summary>
    public async ValueTask<OffsetAtTime?> FindByTimeAsync(long timestamp, CancellationToken ct)
    {
        var end = HighWatermark;
        while (true)
        {
            ct.ThrowIfCancellationRequested();
            // What is written now is looked for in the segments, the rest up to the end in the memory: if that moved meanwhile, all is looked at again.
            var (start, written, version) = (LogStart, Files.Written, Files.Version);
            try
            {
                var found = InSegments(timestamp, start, end, ct) ?? InMemory(timestamp, Math.Max(written, start), end);
                if (Steady(version) && (written >= end || written == Files.Written)) return found;
            }
            catch (Exception e) when (e is RottenException or Disk.DiskException && (!Steady(version) || start < LogStart))
            {
                // As above.
            }
            catch (RottenException rot)
            {
                await _store.ExamineAsync(this, rot, ct).ConfigureAwait(false);
            }
        }
    }

    /// <summary>The record with the highest timestamp, the first of these; null when there is none.</summary>
    public async ValueTask<OffsetAtTime?> FindMaxTimestampAsync(CancellationToken ct)
    {
        var (written, end) = (Files.Written, HighWatermark); // first: what moves into the segments from now on is looked at twice
        var segments = Files.Segments;
        var greatest = await GreatestAsync(written, end, ct).ConfigureAwait(false);
        foreach (var (at, time) in segments.Select((segment, at) => (at, segment.MaxTimestamp)).OrderByDescending(s => s.MaxTimestamp))
        {
            if (time <= greatest) break;
            if (await FindByTimeAsync(time, ct).ConfigureAwait(false) is { } found) return found;
            // The segment's greatest is a transaction's marker, or a record that lies below the log start or that the disk has spoilt.
            var next = at + 1 < segments.Length ? segments[at + 1].BaseOffset : written;
            greatest = Math.Max(greatest, await GreatestAsync(segments[at].BaseOffset, next, ct).ConfigureAwait(false));
        }
        return greatest < 0 ? null : await FindByTimeAsync(greatest, ct).ConfigureAwait(false);
    }

    /// <summary>The leader epoch that was in force when the record at an offset came; at the end of the log, the present one.</summary>
    public int EpochAt(long offset)
    {
        var epochs = Epochs;
        var at = epochs.Length - 1;
        while (at > 0 && epochs[at].Offset > offset) at--;
        return epochs[at].Epoch;
    }

    /// <summary>End offset of the epoch: the start of the next greater one, or the high watermark; null when unknown.</summary>
    public (int Epoch, long EndOffset)? EndOfEpoch(int epoch)
    {
        var epochs = _epochs;
        if (epoch < epochs[0].Epoch || epoch > epochs[^1].Epoch) return null;
        var at = epochs.Length - 1;
        while (epochs[at].Epoch > epoch) at--;
        return (epochs[at].Epoch, at + 1 < epochs.Length ? epochs[at + 1].Offset : HighWatermark);
    }

    /// <summary>Moves the log start up to <paramref name="offset"/> (-1: the high watermark), durably. Returns the new log start.</summary>
    public ValueTask<long> DeleteRecordsAsync(long offset, CancellationToken ct) => _store.DeleteRecordsAsync(this, offset, ct);

    /// <summary>Adds someone to tell when the high watermark advances or the partition goes away.</summary>
    public void Watch(IPartitionWatcher watcher) => ImmutableInterlocked.Update(ref _watchers, static (all, one) => all.Add(one), watcher);

    /// <summary>Removes a watcher; harmless when it is not there.</summary>
    public void Unwatch(IPartitionWatcher watcher) => ImmutableInterlocked.Update(ref _watchers, static (all, one) => all.Remove(one), watcher);

    internal void Restore(long logStart, long highWatermark, ImmutableArray<EpochStart> epochs)
        => (_logStart, _highWatermark, _epochs) = (logStart, highWatermark, epochs);

    internal void Advance(long highWatermark, int bytes)
    {
        if (highWatermark <= _highWatermark) return;
        Volatile.Write(ref _highWatermark, highWatermark);
        Tell(Transactions.TakeEnded() ? 0 : bytes);
    }

    internal void MoveLogStart(long offset)
    {
        Volatile.Write(ref _logStart, Math.Max(offset, _logStart));
        Transactions.DropBelow(_logStart);
    }

    internal void BumpEpoch(int epoch, long offset) => _epochs = _epochs.Add(new(epoch, offset));

    internal void Tell(int bytes)
    {
        foreach (var watcher in _watchers) watcher.Advanced(this, bytes);
    }

    // Whether no segment was being replaced then nor has been since; while one is, the applier is given the processor.
    bool Steady(int version)
    {
        if (version == Files.Version && version % 2 == 0) return true;
        Thread.Yield();
        return false;
    }

    OffsetAtTime? InSegments(long timestamp, long start, long end, CancellationToken ct)
    {
        var segments = Files.Segments;
        for (var i = 0; i < segments.Length; i++)
        {
            ct.ThrowIfCancellationRequested();
            for (var from = start; _reader.FindBatch(segments, i, timestamp, from, end) is { } batch; from = new RecordBatch(batch.Span).LastOffset + 1)
                if (FirstAt(batch, timestamp, start) is { } found) return found;
        }
        return null;
    }

    async ValueTask<LogSlice> PastRotAsync(RottenException rot, long offset, int maxBytes, CancellationToken ct)
    {
        await _store.ExamineAsync(this, rot, ct).ConfigureAwait(false);
        return await ReadAsync(offset, maxBytes, ct).ConfigureAwait(false);
    }

    // The high watermark first: what opens after it was read lies above it.
    long StableUpTo(long highWatermark) => Math.Min(highWatermark, Math.Max(Transactions.FirstOpen, LogStart));

    OffsetAtTime? InMemory(long timestamp, long offset, long end)
    {
        while (offset < end && Memory.Copy(offset, int.MaxValue) is { } copy)
        {
            if (FirstAt(copy, timestamp, offset) is { } found) return found;
            (_, offset) = Greatest(copy, 0);
        }
        return null;
    }

    static OffsetAtTime? FirstAt(ReadOnlyMemory<byte> batches, long timestamp, long from)
    {
        var batch = new RecordBatch(batches.Span);
        try
        {
            foreach (var record in new RecordReader(batches))
                if (record.Timestamp >= timestamp && record.Offset >= from) return new(record.Offset, record.Timestamp, batch.LeaderEpoch);
            return null;
        }
        catch (UnsupportedCompressionException)
        {
            // Not openable here: the batch's start is at or before the record, so a reader misses nothing.
            return new(Math.Max(batch.BaseOffset, from), batch.MaxTimestamp, batch.LeaderEpoch);
        }
    }

    /// <summary>The greatest timestamp of records from one offset, or the log start, up to another; -1 when there are none.</summary>
    async ValueTask<long> GreatestAsync(long offset, long end, CancellationToken ct)
    {
        var greatest = -1L;
        while (true)
        {
            var start = LogStart;
            offset = Math.Max(offset, start);
            if (offset >= end) return greatest;
            try
            {
                var slice = await ReadAsync(offset, 1 << 20, ct).ConfigureAwait(false);
                if (slice.Batches.IsEmpty) return greatest;
                (var time, offset) = Greatest(slice.Batches, start);
                greatest = Math.Max(greatest, time);
            }
            catch (OffsetOutOfRangeException) when (start < LogStart)
            {
                // The start moved past it meanwhile: on from there.
            }
        }
    }

    /// <summary>The greatest timestamp of the records from an offset on, markers left out, and the offset after the batches.</summary>
    static (long MaxTimestamp, long NextOffset) Greatest(ReadOnlyMemory<byte> batches, long from)
    {
        var (time, next) = (-1L, 0L);
        while (!batches.IsEmpty)
        {
            var batch = new RecordBatch(batches.Span);
            if (!batch.IsControl && batch.Count > 0) time = Math.Max(time, batch.BaseOffset >= from ? batch.MaxTimestamp : GreatestOf(batches[..batch.Size], from));
            next = batch.LastOffset + 1;
            batches = batches[batch.Size..];
        }
        return (time, next);
    }

    static long GreatestOf(ReadOnlyMemory<byte> batch, long from)
    {
        var greatest = -1L;
        try
        {
            foreach (var record in new RecordReader(batch))
                if (record.Offset >= from) greatest = Math.Max(greatest, record.Timestamp);
            return greatest;
        }
        catch (UnsupportedCompressionException)
        {
            return new RecordBatch(batch.Span).MaxTimestamp; // not openable here: as near as can be told
        }
    }
}
