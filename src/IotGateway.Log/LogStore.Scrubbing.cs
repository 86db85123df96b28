using IotGateway.Log.Disk;
using IotGateway.Log.Scrub;
using IotGateway.Log.Segments;
using IotGateway.Log.Wal;

namespace IotGateway.Log;

/// <content>
/// The scrubber: reads every sealed segment, as the disk has it, once per <see cref="LogOptions.ScrubEvery"/>, spread evenly over that time and never faster
/// than <see cref="ScrubRate"/>; how far it is outlasts restarts. Segments of a version before, and those open over a restart, get their checksums then.
/// </content>
public sealed partial class LogStore
{
    /// <summary>Bytes per second at most.</summary>
    const int ScrubRate = 32 << 20;
    static readonly TimeSpan ScrubLook = TimeSpan.FromMinutes(1);
    static readonly byte[] PlaceKey = "place"u8.ToArray();

    readonly SemaphoreSlim _scrubbing = new(1, 1);
    long _scrubbedBytes;

    /// <summary>Checks every segment now, those being written too, at full speed, and waits until what is wrong has been mended as far as it can be.</summary>
    /// <exception cref="LogFailedException">The log has failed.</exception>
    public async ValueTask<ScrubReport> ScrubAsync(CancellationToken ct)
    {
        var (segments, bytes, damaged) = (0, 0L, new List<(Partition, Segment)>());
        await _scrubbing.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            foreach (var partition in Topics.SelectMany(t => t.Partitions))
            {
                foreach (var segment in partition.Files.Segments)
                {
                    if (segment.Sealed) await SealedAsync(partition, segment, ct).ConfigureAwait(false);
                    var size = segment.Size;
                    if (await ScrubAsync(partition, segment, _ => Task.CompletedTask, ct).ConfigureAwait(false)) damaged.Add((partition, segment));
                    segments++;
                    bytes += size;
                }
            }
        }
        finally
        {
            _scrubbing.Release();
        }
        var unmended = 0;
        foreach (var (partition, segment) in damaged)
        {
            await TryMendAsync(partition, segment, ct).ConfigureAwait(false);
            if (partition.Files.Segments.Contains(segment)) unmended++;
        }
        return new(segments, bytes, damaged.Count, unmended);
    }

    /// <summary>Begins a new leader epoch in every partition.</summary>
    internal async Task BumpEpochsAsync(CancellationToken ct)
    {
        var partitions = Topics.SelectMany(t => t.Partitions).ToList();
        await DoAsync(64 + partitions.Count * 40, (committer, cycle) =>
        {
            foreach (var partition in partitions)
                EntryWriter.Epoch(cycle.Frame, partition.Topic.Id, partition.Index, ++partition.Tail.Epoch, partition.Tail.NextOffset);
            return true;
        }, ct).ConfigureAwait(false);
    }

    double ScrubProgress
    {
        get
        {
            if (Get(ScrubPlace.Table, PlaceKey) is not { } stored) return 0;
            var place = ScrubPlace.Read(stored.Span);
            return place.Finished ? 1 : Math.Min(1, place.Bytes / (double)Math.Max(1, Topics.Sum(t => t.Partitions.Sum(p => p.SizeBytes))));
        }
    }

    internal bool IsScrubbing => _scrubbing.CurrentCount == 0;

    /// <summary>What is due of the present pass; called every minute.</summary>
    internal async Task ScrubDueAsync(CancellationToken ct)
    {
        if (_options.ScrubEvery is not { } every || !await _scrubbing.WaitAsync(0, ct).ConfigureAwait(false)) return;
        try
        {
            var now = Clock.Now;
            ScrubPlace? before = Get(ScrubPlace.Table, PlaceKey) is { } stored ? ScrubPlace.Read(stored.Span) : null;
            var place = before ?? new(now, default, 0, 0, 0, false);
            if (place.Finished && now - place.Started >= every.TotalMilliseconds) place = new(now, default, 0, 0, 0, false);
            var total = Topics.Sum(t => t.Partitions.Sum(p => p.SizeBytes));
            var due = (long)(total * Math.Min(1, (now - place.Started) / every.TotalMilliseconds));
            while (!place.Finished && place.Bytes < due) place = await NextAsync(place, ct).ConfigureAwait(false);
            if (place == before) return;
            var unit = new LogUnit();
            unit.Put(ScrubPlace.Table, PlaceKey, place.Write());
            await CommitAsync(unit, ct).ConfigureAwait(false);
        }
        finally
        {
            _scrubbing.Release();
        }
    }

    async Task<ScrubPlace> NextAsync(ScrubPlace place, CancellationToken ct)
    {
        foreach (var partition in Topics.Where(t => t.Id.CompareTo(place.Topic) >= 0).OrderBy(t => t.Id).SelectMany(t => t.Partitions))
        {
            foreach (var segment in partition.Files.Segments.SkipLast(1))
            {
                if (!place.IsBefore(partition.Topic.Id, partition.Index, segment.BaseOffset)) continue;
                await ScrubAsync(partition, segment, read => Task.Delay(TimeSpan.FromSeconds((double)read / ScrubRate), _time, ct), ct).ConfigureAwait(false);
                Interlocked.Add(ref _scrubbedBytes, segment.Size);
                return place with { Topic = partition.Topic.Id, Partition = partition.Index, Offset = segment.BaseOffset + 1, Bytes = place.Bytes + segment.Size };
            }
        }
        return place with { Finished = true };
    }

    // Says whether something is wrong. What is still being written is not compared with what is on the disk.
    async Task<bool> ScrubAsync(Partition partition, Segment segment, Func<int, Task> pace, CancellationToken ct)
    {
        if (segment.Damage is not null) return true;
        if (segment.Sealed && !IsSettled(segment)) return false; // the next pass
        try
        {
            if (segment.Sealed && await Task.Run(() => _examiner.HoldsAsync(segment, pace), ct).ConfigureAwait(false)) return false;
            await _examining.WaitAsync(ct).ConfigureAwait(false);
            try
            {
                return segment.Damage is not null || await ExamineAsync(partition, segment, evenIfFine: false, ct).ConfigureAwait(false);
            }
            finally
            {
                _examining.Release();
            }
        }
        catch (DiskException) when (!partition.Files.Segments.Contains(segment))
        {
            return false; // retention or compaction took it meanwhile
        }
    }

    async Task TryMendAsync(Partition partition, Segment segment, CancellationToken ct)
    {
        try
        {
            await MendAsync(partition, segment, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (e is DiskException or UnknownTopicException or InvalidDataException)
        {
            Log.NotMended(_logger, segment.LogPath, e.Message);
        }
    }

    async Task ScrubInTurnAsync()
    {
        try
        {
            await ScrubDueAsync(_closing.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is LogFailedException or LogFullException or ObjectDisposedException or OperationCanceledException)
        {
            // Failed or closing, or no space to note how far it is: it goes on from there.
        }
    }
}
