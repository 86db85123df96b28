using System.Collections.Immutable;
using System.Globalization;
using IotGateway.Log.Commit;
using IotGateway.Log.Disk;
using IotGateway.Log.Records;
using IotGateway.Log.Scrub;
using IotGateway.Log.Segments;
using IotGateway.Log.Tables;
using IotGateway.Log.Topics;
using IotGateway.Log.Wal;

namespace IotGateway.Log.Recovery;

/// <summary>
/// A state made again when the state file is lost. With every frame since the state before in the write-ahead log, that state is whole: a start replays
/// them. Otherwise topics, settings and tables are those of the state before, if there is one; partitions are read from their segments; and the last unbroken
/// run of frames is put on top: what it appends behind a segment's end, its settings and its tables. When segments were appended to is not known: their ages
/// count from the repair, so that no device's clock deletes them. What cannot be known again is said.
/// </summary>
static class StateRebuilder
{
    public static (byte[] Body, IReadOnlyList<string> Said, bool Guessed) Rebuild(string directory, IDisk disk, RebuildKind kind, long now, CancellationToken ct)
    {
        List<string> said = [];
        var scan = WalScan.Read(disk, Path.Combine(directory, "wal"), 0, ct);
        var run = LastRun(scan.Frames);
        var previous = Previous(directory, disk);
        if (previous is { } before && IsWhole(before.State.Sequence, run, scan, disk))
        {
            said.Add("The state before it is whole, and the write-ahead log has all that came since: nothing is lost.");
            return (before.Body, said, false);
        }
        using var files = new FileCache(disk, 64);
        var topics = Catalog.Offline(directory, disk, files);
        var tables = new TableSet();
        var (id, starts) = (Guid.NewGuid(), 0);
        if (previous is { } known)
        {
            StateBody.Read(known.Body, topics, tables);
            (id, starts) = (known.State.Id, known.State.StartCount);
            said.Add("Topics, settings, consumer positions and other tables are those of the state before; changes between it and the write-ahead log's frames are lost.");
        }
        else said.Add("There is no state before it: settings of topics, consumer positions and other tables are lost, but for what the write-ahead log has. The log has a new identity.");
        AddFound(directory, disk, topics, said);
        var firsts = Starts(run, disk);
        now = run.Select(f => f.Header.Time).Append(LogClock.Kept(tables) ?? now).Append(now).Max();
        foreach (var topic in topics.Published.ToList())
        {
            foreach (var partition in topic.Committed)
            {
                ct.ThrowIfCancellationRequested();
                Read(partition, disk, firsts.GetValueOrDefault((topic.Id, partition.Index), long.MaxValue), now, ct);
            }
        }
        var write = kind == RebuildKind.Write;
        var registry = new Registry(topics, tables) { Make = write ? Make : (_, _, _) => { } };
        if (kind != RebuildKind.WithoutFrames)
            foreach (var found in run) Apply(found, disk, topics, registry, write, now);
        foreach (var partition in topics.Published.SelectMany(t => t.Partitions))
            said.Add(string.Create(CultureInfo.InvariantCulture, $"{partition.Topic.Name}-{partition.Index}: {partition.Files.Segments.Length} segment(s), offsets {partition.LogStart} up to {partition.Files.Written}."));
        var sequence = kind == RebuildKind.WithoutFrames && run.Count > 0 ? run[0].Header.Sequence - 1 : Math.Max(run.Count > 0 ? run[^1].Header.Sequence : 0, Math.Max(scan.Durable, previous?.State.Sequence ?? 0));
        return (StateBody.Write(id, starts + 1, sequence, StateBody.WriteTails(topics, clean: false), topics, tables), said, true);
    }

    // A compaction since would be put in place once more, over what the frames before it have written again.
    static bool IsWhole(long sequence, List<FoundFrame> run, WalScan scan, IDisk disk)
    {
        if (run.Count == 0) return scan.Durable <= sequence;
        if (run[0].Header.Sequence > sequence + 1) return false;
        foreach (var found in run.Where(f => f.Header.Sequence > sequence))
        {
            var entries = new EntryReader(Load(found, disk));
            while (entries.MoveNext())
                if (entries.Kind == EntryKind.Replace) return false;
        }
        return true;
    }

    static byte[] Load(in FoundFrame found, IDisk disk)
    {
        var frame = new byte[found.Header.Length];
        using var file = disk.Open(found.Path, create: false);
        file.Read(frame, found.Position);
        return frame;
    }

    static List<FoundFrame> LastRun(IReadOnlyList<FoundFrame> frames)
    {
        var from = frames.Count;
        while (from > 0 && (from == frames.Count || frames[from - 1].Header.Sequence == frames[from].Header.Sequence - 1)) from--;
        return [.. frames.Skip(from)];
    }

    static (byte[] Body, RecoveredState State)? Previous(string directory, IDisk disk)
    {
        try
        {
            if (StateFile.Read(disk, directory, StateFile.Previous) is not { } body) return null;
            using var files = new FileCache(disk, 1);
            return (body, StateBody.Read(body, Catalog.Offline(directory, disk, files), new()));
        }
        catch (Exception e) when (e is LogFormatException or InvalidDataException)
        {
            return null;
        }
    }

    static void Apply(in FoundFrame found, IDisk disk, Catalog topics, Registry registry, bool write, long now)
    {
        var entries = new EntryReader(Load(found, disk));
        while (entries.MoveNext())
        {
            switch (entries.Kind)
            {
                case EntryKind.Append when Find(topics, entries) is { } partition:
                    Append(partition, entries.Offset, entries.SegmentBase, entries.Bytes, now, disk, write);
                    break;
                case EntryKind.LogStart when Find(topics, entries) is { } moved:
                    moved.MoveLogStart(Math.Min(entries.Offset, moved.Tail.NextOffset));
                    moved.Tail.LogStart = moved.LogStart;
                    break;
                default:
                    registry.Announce(entries);
                    registry.Apply(entries);
                    break;
            }
        }
    }

    static Partition? Find(Catalog topics, in EntryReader entry)
        => topics.Taken(entry.Topic) is { } topic && entry.Number < topic.Committed.Count ? topic.Committed[entry.Number] : null;

    // First offset each partition gets from the frames: from there on they have all of it, whatever became of the segments; but not where segments
    // were replaced meanwhile.
    static Dictionary<(Guid, int), long> Starts(List<FoundFrame> run, IDisk disk)
    {
        var starts = new Dictionary<(Guid, int), long>();
        foreach (var found in run)
        {
            var entries = new EntryReader(Load(found, disk));
            while (entries.MoveNext())
            {
                if (entries.Kind == EntryKind.Append) starts.TryAdd((entries.Topic, entries.Number), entries.Offset);
                else if (entries.Kind == EntryKind.Replace) starts[(entries.Topic, entries.Number)] = long.MaxValue;
            }
        }
        return starts;
    }

    static void Make(Topic topic, int from, int to)
    {
        for (var i = from; i < to; i++) topic.Committed[i].Files.Create(topic.Id);
    }

    // What the segments have not got.
    static void Append(Partition partition, long offset, long segmentBase, ReadOnlyMemory<byte> batches, long time, IDisk disk, bool write)
    {
        var tail = partition.Tail;
        if (offset < tail.NextOffset) return;
        Segment[] segments = partition.Files.Segments;
        if (segments.Length == 0 || segmentBase > segments[^1].BaseOffset)
        {
            if (segments.Length > 0) Indexes(disk, segments[^1], last: false);
            segments = [.. segments, new Segment(partition.Files.Directory, segmentBase) { Created = time }];
        }
        var segment = segments[^1];
        if (write)
        {
            using var log = disk.Open(segment.LogPath, create: true);
            log.SetLength(segment.Size); // what lies there is no batch
            log.Write(batches.Span, segment.Size);
            log.Sync();
        }
        segment.Size += batches.Length;
        segment.LastAppend = time;
        tail.Replayed(segment.BaseOffset, batches.Span, time);
        partition.Transactions.Observe(batches.Span);
        for (var rest = batches.Span; !rest.IsEmpty; rest = rest[new RecordBatch(rest).Size..])
            if (new RecordBatch(rest) is var batch && batch.MaxTimestamp > segment.MaxTimestamp)
                (segment.MaxTimestamp, segment.MaxTimestampOffset) = (batch.MaxTimestamp, batch.LastOffset);
        partition.Files.Restore(segments, tail.NextOffset);
        partition.Restore(partition.LogStart, tail.NextOffset, partition.Epochs);
    }

    // Folders NAME-N that no state names, by the id in their metadata.
    static void AddFound(string directory, IDisk disk, Catalog topics, List<string> said)
    {
        foreach (var gone in topics.Published.Where(t => t.Committed.Any(p => PartitionFiles.ReadId(disk, p.Files.Directory) != t.Id)).ToList())
        {
            topics.Close(gone);
            topics.Remove(gone); // deleted since, or made anew
        }
        var found = disk.Directories(directory).Select(name => (Name: name, Dash: name.LastIndexOf('-')))
            .Where(f => f.Dash > 0 && int.TryParse(f.Name.AsSpan(f.Dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out _))
            .GroupBy(f => f.Name[..f.Dash], StringComparer.Ordinal);
        foreach (var group in found)
        {
            if (TopicName.Fault(group.Key) is not null || PartitionFiles.ReadId(disk, Path.Combine(directory, group.First().Name)) is not { } id) continue;
            if (topics.Taken(id) is not null) continue;
            var count = group.Max(f => int.Parse(f.Name.AsSpan(f.Dash + 1), NumberStyles.None, CultureInfo.InvariantCulture)) + 1;
            topics.Publish(topics.Add(id, group.Key, count, new()), count);
            said.Add($"Topic '{group.Key}' is known by its folders only: it has the default settings. Set them again.");
        }
    }

    static void Read(Partition partition, IDisk disk, long before, long now, CancellationToken ct)
    {
        var (tail, directory, logStart) = (partition.Tail, partition.Files.Directory, partition.LogStart);
        var epochs = ImmutableArray.CreateBuilder<EpochStart>();
        epochs.Add(new(0, 0));
        var bases = disk.Files(directory).Where(f => f.EndsWith(".log", StringComparison.Ordinal))
            .Select(f => long.TryParse(Path.GetFileNameWithoutExtension(f), NumberStyles.None, CultureInfo.InvariantCulture, out var offset) ? offset : -1)
            .Where(b => b >= 0 && b < before).Order().ToList();
        List<Segment> segments = [];
        tail.NextOffset = bases.Count > 0 ? bases[0] : before < long.MaxValue ? before : logStart;
        for (var i = 0; i < bases.Count; i++)
        {
            var segment = new Segment(directory, bases[i]) { Created = now, LastAppend = now };
            using (var file = disk.Open(segment.LogPath, create: false)) segment.Size = file.Length;
            var (last, end) = (i + 1 == bases.Count, 0L);
            using var log = new RescueFile(disk, segment, segment.Size, null);
            new RotScan(log, segment, last ? before : bases[i + 1], [new(0, 0)])
            {
                Good = (position, bytes) =>
                {
                    var batch = new RecordBatch(bytes.Span);
                    tail.Replayed(segment.BaseOffset, bytes.Span, now); // no producer is forgotten for the age of what it wrote
                    partition.Transactions.Observe(bytes.Span);
                    end = position + batch.Size;
                    if (batch.MaxTimestamp > segment.MaxTimestamp) (segment.MaxTimestamp, segment.MaxTimestampOffset) = (batch.MaxTimestamp, batch.LastOffset);
                    if (batch.LeaderEpoch > epochs[^1].Epoch) epochs.Add(new(batch.LeaderEpoch, batch.BaseOffset));
                },
            }.Run(ct);
            if (last) segment.Size = end; // what is behind it was never acknowledged, or is in the frames
            Indexes(disk, segment, last);
            segments.Add(segment);
        }
        if (segments.Count > 0) logStart = Math.Max(logStart, segments[0].BaseOffset);
        tail.Epoch = epochs[^1].Epoch;
        tail.LogStart = logStart;
        partition.Files.Restore([.. segments], tail.NextOffset);
        partition.Restore(logStart, tail.NextOffset, epochs.ToImmutable());
    }

    // A closed segment's are taken as they are: the check behind this makes wrong ones anew. The last one's begin anew, for they are written on.
    static void Indexes(IDisk disk, Segment segment, bool last)
    {
        segment.TransactionIndexBytes = last ? 0 : Length(segment.TransactionIndexPath, 1);
        if (last) return;
        segment.IndexBytes = Math.Max(Length(segment.IndexPath, SegmentIndex.EntrySize), segment.Size > SegmentIndex.Interval * 2 ? SegmentIndex.EntrySize : 0);
        segment.TimeIndexBytes = Math.Max(Length(segment.TimeIndexPath, SegmentIndex.TimeEntrySize), SegmentIndex.TimeEntrySize);

        long Length(string path, int entry)
        {
            if (!disk.Exists(path)) return 0;
            using var file = disk.Open(path, create: false);
            return file.Length / entry * entry;
        }
    }
}

/// <summary>What a rebuild is for.</summary>
enum RebuildKind
{
    /// <summary>To be put in place: what only the frames have goes into the segments.</summary>
    Write,
    /// <summary>To be told only.</summary>
    Tell,
    /// <summary>To read the segments; the frames are read by themselves.</summary>
    WithoutFrames,
}
