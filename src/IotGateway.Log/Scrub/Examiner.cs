using System.Collections.Immutable;
using IotGateway.Log.Compaction;
using IotGateway.Log.Disk;
using IotGateway.Log.Records;
using IotGateway.Log.Segments;

namespace IotGateway.Log.Scrub;

/// <summary>Says what is wrong with a segment, and writes it anew without that. Reads and writes files only; stateless.</summary>
sealed class Examiner(IDisk disk, string directory)
{
    readonly Quarantine _quarantine = new(disk, directory);

    /// <summary>Reads all of it, batch by batch, past the page cache.</summary>
    /// <param name="segment">The segment.</param>
    /// <param name="size">Its bytes: with it, it ends at that offset.</param>
    /// <param name="end">Offset that none of its records reaches.</param>
    /// <param name="epochs">The partition's epochs.</param>
    /// <param name="ct">Ends it between batches.</param>
    public Damage Examine(Segment segment, long size, long end, ImmutableArray<EpochStart> epochs, CancellationToken ct)
    {
        var sums = segment.Sealed ? SegmentSums.Read(disk, segment.SumsPath, segment.Size) : null;
        var building = segment.Sealed && sums is null ? new SumsBuilder() : null;
        using var log = new RescueFile(disk, segment, size, sums) { Building = building };
        var indexes = new IndexFollower(disk, segment);
        var ranges = new RotScan(log, segment, end, epochs) { Good = (position, batch) => indexes.Follow(position, new(batch.Span)) }.Run(ct);
        var damage = new Damage(ranges, log.Bad, ranges.Count > 0 || log.Rescued || indexes.Wrong || (sums is not null && !IndexesHold(segment, sums)));
        if (!damage.Any && building is not null && building.Length == segment.Size && segment.Size > 0) Write(segment, building);
        return damage;
    }

    /// <summary>
    /// Compares a sealed segment and its indexes, as the disk has them, with their checksums; false when they differ or there are none.
    /// </summary>
    /// <param name="segment">The segment.</param>
    /// <param name="pace">Called after each piece read.</param>
    public async Task<bool> HoldsAsync(Segment segment, Func<int, Task> pace)
    {
        if (SegmentSums.Read(disk, segment.SumsPath, segment.Size) is not { } sums) return false;
        try
        {
            var piece = new byte[16 * SegmentSums.Block];
            using var log = disk.OpenUncached(segment.LogPath);
            for (long at = 0; at < segment.Size; at += piece.Length)
            {
                var wanted = (int)Math.Min(piece.Length, segment.Size - at);
                if (log.Read(piece.AsSpan(0, wanted), at) < wanted || sums.FirstBad(log, at, piece.AsSpan(0, wanted), known: null) >= 0) return false;
                await pace(wanted).ConfigureAwait(false);
            }
            return IndexesHold(segment, sums);
        }
        catch (DiskException e) when (Damage.IsRot(e))
        {
            return false;
        }
    }

    /// <summary>Writes the good batches of a segment beside it, with new indexes and checksums, and copies the rotten ranges aside.</summary>
    /// <param name="segment">A sealed segment.</param>
    /// <param name="damage">What was found.</param>
    /// <param name="fill">Whether lost offsets at its end are to be held by an empty batch: nothing comes behind it yet.</param>
    /// <param name="bounds">When its first append came and when its last, by the machine's clock, ms.</param>
    /// <param name="times">Gets, for each rotten range, the time of the record before it and of the one behind it, ms; where there is none, the bound.</param>
    /// <param name="ct">Ends it between batches.</param>
    public Replacement Mend(Segment segment, Damage damage, bool fill, (long First, long Last) bounds, List<(long From, long To)> times, CancellationToken ct)
    {
        using var log = new RescueFile(disk, segment, segment.Size, SegmentSums.Read(disk, segment.SumsPath, segment.Size));
        foreach (var range in damage.Ranges) _quarantine.Keep(segment.LogPath, range.From, range.To, log);
        using var writer = new CleanedWriter(disk, Path.GetDirectoryName(segment.LogPath)!, [segment]);
        try
        {
            var (epoch, time) = (0, bounds.First);
            Walk(log, damage, (position, bytes) =>
            {
                writer.Add(bytes.Span);
                var batch = new RecordBatch(bytes.Span);
                while (times.Count < damage.Ranges.Count && damage.Ranges[times.Count].From <= position) times.Add((time, batch.MaxTimestamp));
                (epoch, time) = (batch.LeaderEpoch, batch.MaxTimestamp);
            }, ct);
            while (times.Count < damage.Ranges.Count) times.Add((time, bounds.Last));
            if (fill && damage.Ranges.Count > 0 && damage.Ranges[^1] is var last && last.To == log.Length && last.ToOffset > last.FromOffset)
                writer.Add(Empty(last.FromOffset, last.ToOffset, epoch));
            writer.Finish();
            return writer.Result;
        }
        catch
        {
            writer.Discard();
            throw;
        }
    }

    /// <summary>Hands over every good batch, in order; its bytes are valid during the call only.</summary>
    public static void Walk(RescueFile log, Damage damage, Action<long, ReadOnlyMemory<byte>> good, CancellationToken ct)
    {
        var bytes = new byte[SegmentSums.Block];
        for (var position = damage.Skip(0); position < log.Length; position = damage.Skip(position))
        {
            ct.ThrowIfCancellationRequested();
            log.Read(bytes.AsSpan(0, RecordBatch.HeaderSize), position);
            var size = new RecordBatch(bytes).Size;
            if (bytes.Length < size) bytes = new byte[Math.Max(size, bytes.Length * 2)];
            log.Read(bytes.AsSpan(0, size), position);
            good(position, bytes.AsMemory(0, size));
            position += size;
        }
    }

    bool IndexesHold(Segment segment, SegmentSums sums)
    {
        try
        {
            return SegmentSums.OfFile(disk, segment.IndexPath, segment.IndexBytes) == sums.Index
                && SegmentSums.OfFile(disk, segment.TimeIndexPath, segment.TimeIndexBytes) == sums.TimeIndex;
        }
        catch (DiskException e) when (Damage.IsRot(e))
        {
            return false;
        }
    }

    void Write(Segment segment, SumsBuilder built)
    {
        var sums = built.Finish(SegmentSums.OfFile(disk, segment.IndexPath, segment.IndexBytes), SegmentSums.OfFile(disk, segment.TimeIndexPath, segment.TimeIndexBytes));
        try
        {
            using var file = disk.Open(segment.SumsPath, create: true);
            sums.Write(file);
            file.Sync();
        }
        catch (DiskException e) when (e.IsFull)
        {
            disk.Delete(segment.SumsPath); // next time
        }
    }

    // As compaction leaves one: no records, but offsets, which readers pass.
    static byte[] Empty(long from, long to, int epoch)
    {
        var batch = RecordBatchBuilder.Empty((int)(to - from - 1));
        BatchStamp.Apply(batch, from, epoch, -1, null);
        return batch;
    }
}
