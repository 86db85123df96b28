using System.Threading.Channels;
using IotGateway.Log.Commit;
using IotGateway.Log.Disk;
using IotGateway.Log.Scrub;
using IotGateway.Log.Segments;
using IotGateway.Log.Tables;
using IotGateway.Log.Wal;
using Microsoft.Extensions.Logging;

namespace IotGateway.Log;

/// <content>
/// Rot. Whoever meets it (a reader, the scrubber) has the segment examined; from then on readers pass over the rotten ranges, and the segment is queued to be
/// mended: the ranges are copied aside, the rest is written anew beside it, synced, and put in place by one frame, as compaction does, which also notes
/// the lost offsets until they have been told as a gap. A crash before that frame leaves all as it was, to be found again.
/// </content>
public sealed partial class LogStore
{
    static readonly TimeSpan MendAgain = TimeSpan.FromMinutes(1);

    readonly SemaphoreSlim _examining = new(1, 1);
    readonly Channel<(Partition, Segment)> _toMend = Channel.CreateUnbounded<(Partition, Segment)>(new() { SingleReader = true });
    readonly Examiner _examiner;
    readonly IReadOnlyList<QuarantinedRange> _lostAtStart;
    TaskCompletionSource _checkpointEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    Task _mending = Task.CompletedTask;
    long _quarantinedBytes, _quarantinedRanges;

    /// <summary>What is lost or damaged and set aside, and not told yet: found by this start, or since. To be recorded as gaps.</summary>
    public IReadOnlyList<QuarantinedRange> Quarantined
        => [.. _lostAtStart, .. Scan(QuarantinedRange.Table).Select(e => QuarantinedRange.Read(e.Key, e.Value.Span))
            .OrderBy(q => q.Topic, StringComparer.Ordinal).ThenBy(q => q.Partition).ThenBy(q => q.FromOffset)];

    /// <summary>Raised when <see cref="Quarantined"/> has more; on a thread of the pool.</summary>
    public event Action? RecordsQuarantined;

    /// <summary>Finds out what is wrong with a segment, so that reading can go on.</summary>
    /// <exception cref="RottenException">It was examined before, and the read is still not right.</exception>
    internal async ValueTask ExamineAsync(Partition partition, RottenException rot, CancellationToken ct)
    {
        await _examining.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            var segment = rot.Segment;
            if (segment.Damage != rot.Known) return; // somebody else was quicker
            if (rot.Known is not null) throw rot;
            Log.Rotten(_logger, partition.Topic.Name, partition.Index, rot.Message);
            await ExamineAsync(partition, segment, evenIfFine: true, ct).ConfigureAwait(false);
        }
        finally
        {
            _examining.Release();
        }
    }

    // A segment that only one reader finds wrong, and not the disk, is written anew too: the page cache has it wrong.
    async Task<bool> ExamineAsync(Partition partition, Segment segment, bool evenIfFine, CancellationToken ct)
    {
        var (segments, size, written) = partition.Files.At(segment);
        var at = Array.IndexOf(segments, segment);
        if (at < 0) return false;
        var end = at + 1 < segments.Length ? segments[at + 1].BaseOffset : written;
        var damage = await Task.Run(() => _examiner.Examine(segment, size, end, partition.Epochs, ct), ct).ConfigureAwait(false);
        _sums.Forget(segment);
        if (!damage.Any && !evenIfFine) return false;
        segment.Damage = damage;
        foreach (var range in damage.Ranges)
            Log.Lost(_logger, segment.LogPath, range.From, range.To, partition.Topic.Name, partition.Index, range.FromOffset, range.ToOffset);
        _toMend.Writer.TryWrite((partition, segment));
        return true;
    }

    /// <summary>Lets idle file handles go, so that the next reads open the files again.</summary>
    internal void CloseFiles() => _files.Forget(_options.Directory);

    void IndexFaulty(Segment segment)
    {
        if (segment.Damage is not null || segment.IndexFaulty) return;
        segment.IndexFaulty = true;
        if (PartitionOf(segment) is not { } partition) return;
        Log.BadIndex(_logger, segment.LogPath);
        _toMend.Writer.TryWrite((partition, segment));
    }

    // Also while frames are replayed, which may yet delete it: whether anything is lost is for the examination to say.
    void ShortFound(Segment segment)
    {
        if (PartitionOf(segment) is { } partition) _toMend.Writer.TryWrite((partition, segment));
    }

    Partition? PartitionOf(Segment segment)
    {
        var directory = Path.GetDirectoryName(segment.LogPath);
        return _topics.Published.SelectMany(t => t.Partitions).FirstOrDefault(p => p.Files.Directory == directory);
    }

    async Task MendInTurnAsync()
    {
        try
        {
            await foreach (var (partition, segment) in _toMend.Reader.ReadAllAsync(_closing.Token).ConfigureAwait(false))
            {
                try
                {
                    await MendAsync(partition, segment, _closing.Token).ConfigureAwait(false);
                }
                catch (Exception e) when (e is DiskException or UnknownTopicException or InvalidDataException)
                {
                    if (partition.Topic.Deleted || !partition.Files.Segments.Contains(segment)) continue;
                    Log.NotMended(_logger, segment.LogPath, e.Message);
                    _ = AgainAsync(partition, segment);
                }
            }
        }
        catch (Exception e) when (e is LogFailedException or ObjectDisposedException or OperationCanceledException)
        {
            // Failed or closing: the next start finds it again.
        }
    }

    async Task AgainAsync(Partition partition, Segment segment)
    {
        await Task.Delay(MendAgain, _time, _closing.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_closing.IsCancellationRequested) return;
        try
        {
            await _examining.WaitAsync(_closing.Token).ConfigureAwait(false);
            try
            {
                // Anew: a disk that was away for a moment has spoilt nothing.
                if (segment.Damage is null) _toMend.Writer.TryWrite((partition, segment));
                else await ExamineAsync(partition, segment, evenIfFine: true, _closing.Token).ConfigureAwait(false);
            }
            finally
            {
                _examining.Release();
            }
        }
        catch (Exception e) when (e is DiskException or ObjectDisposedException or OperationCanceledException)
        {
            if (!_closing.IsCancellationRequested) _toMend.Writer.TryWrite((partition, segment));
        }
    }

    // One at a time, and not while a compaction runs: both replace segments.
    async Task MendAsync(Partition partition, Segment segment, CancellationToken ct)
    {
        await _compacting.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (partition.Topic.Deleted || !partition.Files.Segments.Contains(segment)) return;
            if (segment.Damage is null && !await ExamineAsync(partition, segment, evenIfFine: false, ct).ConfigureAwait(false)) return;
            if (partition.Files.Segments is [.., var active] && active == segment) await RollAsync(partition, segment, ct).ConfigureAwait(false);
            if (segment.Damage is not { } damage || !await SealedAsync(partition, segment, ct).ConfigureAwait(false)) return;
            var segments = partition.Files.Segments;
            var at = Array.IndexOf(segments, segment);
            if (at < 0 || at + 1 == segments.Length) return;
            var fill = segments.Skip(at + 1).All(s => s.Size == 0);
            var times = new List<(long From, long To)>();
            var replacement = await Task.Run(() => _examiner.Mend(segment, damage, fill, (Clock.ToMachine(segment.Created), Clock.ToMachine(segment.LastAppend)), times, ct), ct).ConfigureAwait(false);
            var lost = damage.Ranges.Zip(times, (range, time) => new QuarantinedRange(-1, -1, partition.Topic.Name, partition.Index, range.FromOffset, range.ToOffset)
            {
                From = DateTimeOffset.FromUnixTimeMilliseconds(time.From),
                To = DateTimeOffset.FromUnixTimeMilliseconds(time.To),
            }).Where(q => q.ToOffset > q.FromOffset).ToList();
            var body = replacement.Write();
            await DoAsync(64 + body.Length + lost.Count * 640, (committer, cycle) =>
            {
                Taken(committer, partition.Topic.Id);
                EntryWriter.Replace(cycle.Frame, partition.Topic.Id, partition.Index, body);
                foreach (var range in lost)
                    EntryWriter.Put(cycle.Frame, QuarantinedRange.Table, RangeKey.Of(partition.Topic.Id, partition.Index, range.FromOffset), range.Write());
                return true;
            }, ct).ConfigureAwait(false);
            Interlocked.Add(ref _quarantinedBytes, damage.Bytes);
            Interlocked.Add(ref _quarantinedRanges, damage.Ranges.Count);
            Log.Mended(_logger, segment.LogPath, damage.Bytes);
            RequestCheckpoint();
            if (lost.Count > 0) RecordsQuarantined?.Invoke();
        }
        finally
        {
            _compacting.Release();
        }
    }

    // What is rotten is not written on: the next append goes to a new segment.
    async Task RollAsync(Partition partition, Segment segment, CancellationToken ct)
        => await DoAsync(64, (committer, cycle) =>
        {
            Taken(committer, partition.Topic.Id);
            if (partition.Tail.SegmentBase == segment.BaseOffset && partition.Tail.NextOffset > segment.BaseOffset) Roll(partition, cycle);
            return true;
        }, ct).ConfigureAwait(false);

    // Only what no frame writes again may be replaced.
    async Task<bool> SealedAsync(Partition partition, Segment segment, CancellationToken ct)
    {
        while (partition.Files.Segments.Contains(segment) && partition.Files.Segments[^1] != segment)
        {
            if (IsSettled(segment)) return true;
            await CheckpointAsync(ct).ConfigureAwait(false);
        }
        return false;
    }

    bool IsSettled(Segment segment) => !segment.Dirty && segment.Checkpoint <= _housekeeper.Checkpointed;

    /// <summary>Waits for the end of a checkpoint that is under way or begins now.</summary>
    async Task CheckpointAsync(CancellationToken ct)
    {
        var written = Volatile.Read(ref _checkpointEnded).Task;
        RequestCheckpoint();
        await Task.WhenAny(written, Failed).WaitAsync(ct).ConfigureAwait(false);
        if (Failed.IsCompleted) throw new LogFailedException("The log has failed.", await Failed.ConfigureAwait(false));
    }

    void CheckpointEnded() => Interlocked.Exchange(ref _checkpointEnded, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();

    static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Error, Message = "The disk has spoilt partition {Topic}-{Partition}: {Problem} What is left is being saved. Check the disk.")]
        public static partial void Rotten(ILogger logger, string topic, int partition, string problem);

        [LoggerMessage(Level = LogLevel.Error, Message = "'{File}' is rotten from position {From} to {To}: partition {Topic}-{Partition} lost offsets {FromOffset} up to {ToOffset}. Readers go on behind them.")]
        public static partial void Lost(ILogger logger, string file, long from, long to, string topic, int partition, long fromOffset, long toOffset);

        [LoggerMessage(Level = LogLevel.Warning, Message = "An index of '{File}' is missing or wrong; it is made anew. Nothing is lost.")]
        public static partial void BadIndex(ILogger logger, string file);

        [LoggerMessage(Level = LogLevel.Warning, Message = "'{File}' was written anew without {Bytes} rotten bytes; they are in the folder 'quarantine'.")]
        public static partial void Mended(ILogger logger, string file, long bytes);

        [LoggerMessage(Level = LogLevel.Error, Message = "'{File}' could not be written anew: {Reason} Tried again in a minute; readers pass over what is rotten meanwhile.")]
        public static partial void NotMended(ILogger logger, string file, string reason);
    }
}
