using IotGateway.Log.Disk;
using IotGateway.Log.Recovery;
using IotGateway.Log.Scrub;
using IotGateway.Log.Segments;
using IotGateway.Log.Topics;
using IotGateway.Log.Wal;

namespace IotGateway.Log.Inspection;

/// <summary>
/// Reads record batches out of a data folder without opening the log or changing anything: of a stopped log, a damaged one, or one without a state file,
/// as far as batches are whole. Rotten ranges are passed over and told.
/// </summary>
public static class LogExport
{
    /// <summary>Hands over every whole batch of a topic, partition by partition, in order; then what only the write-ahead log has.</summary>
    /// <param name="directory">The data folder.</param>
    /// <param name="topic">The topic's name.</param>
    /// <param name="partition">Its partition; null for all.</param>
    /// <param name="batch">Gets partition and batch; the bytes are valid during the call only.</param>
    /// <param name="lost">Gets partition and offsets of what could not be read.</param>
    /// <param name="ct">Ends it between batches.</param>
    /// <returns>Partitions read; none when there is no such topic.</returns>
    /// <exception cref="LogFormatException">It is a newer version's.</exception>
    public static int Read(string directory, string topic, int? partition, Action<int, ReadOnlyMemory<byte>> batch, Action<int, long, long> lost, CancellationToken ct)
        => Read(directory, topic, partition, batch, lost, new LinuxDisk(), ct);

    internal static int Read(string directory, string topic, int? only, Action<int, ReadOnlyMemory<byte>> batch, Action<int, long, long> lost, IDisk disk, CancellationToken ct)
    {
        using var files = new FileCache(disk, 4);
        var topics = Catalog.Offline(directory, disk, files);
        long sequence;
        try
        {
            if (StateFile.Read(disk, directory) is not { } body) throw new InvalidDataException("There is no state.");
            sequence = StateBody.Read(body, topics, new()).Sequence;
        }
        catch (Exception e) when (e is InvalidDataException || (e is LogFormatException && !e.Message.Contains("format version", StringComparison.Ordinal)))
        {
            topics = Catalog.Offline(directory, disk, files);
            var (rebuilt, _, _) = StateRebuilder.Rebuild(directory, disk, RebuildKind.WithoutFrames, 0, ct);
            sequence = StateBody.Read(rebuilt, topics, new()).Sequence;
        }
        var frames = WalScan.Read(disk, Path.Combine(directory, "wal"), sequence, ct).Frames;
        ApplyTopics(topics, frames, disk);
        if (topics.Named(topic) is not { } found) return 0;
        var count = 0;
        foreach (var one in found.Committed.Where(p => only is null || p.Index == only))
        {
            var next = Segments(one, disk, b => batch(one.Index, b), (from, to) => lost(one.Index, from, to), ct);
            Frames(one, frames, next, disk, b => batch(one.Index, b));
            count++;
        }
        return count;
    }

    static long Segments(Partition partition, IDisk disk, Action<ReadOnlyMemory<byte>> batch, Action<long, long> lost, CancellationToken ct)
    {
        var segments = partition.Files.Segments;
        for (var i = 0; i < segments.Length; i++)
        {
            var segment = segments[i];
            var sums = segment.Sealed ? SegmentSums.Read(disk, segment.SumsPath, segment.Size) : null;
            using var log = new RescueFile(disk, segment, segment.Size, sums);
            var ranges = new RotScan(log, segment, i + 1 < segments.Length ? segments[i + 1].BaseOffset : partition.Files.Written, partition.Epochs).Run(ct);
            foreach (var range in ranges) lost(range.FromOffset, range.ToOffset);
            Examiner.Walk(log, new(ranges, log.Bad, Anew: false), (_, bytes) => batch(bytes), ct);
        }
        return partition.Files.Written;
    }

    static void Frames(Partition partition, IReadOnlyList<FoundFrame> frames, long next, IDisk disk, Action<ReadOnlyMemory<byte>> batch)
    {
        foreach (var found in frames)
        {
            var entries = new EntryReader(Load(found, disk));
            while (entries.MoveNext())
            {
                if (entries.Kind != EntryKind.Append || entries.Topic != partition.Topic.Id || entries.Number != partition.Index) continue;
                for (var rest = entries.Bytes; !rest.IsEmpty; rest = rest[new Records.RecordBatch(rest.Span).Size..])
                {
                    var one = new Records.RecordBatch(rest.Span);
                    if (one.BaseOffset < next) continue;
                    batch(rest[..one.Size]);
                    next = one.LastOffset + 1;
                }
            }
        }
    }

    static void ApplyTopics(Catalog topics, IReadOnlyList<FoundFrame> frames, IDisk disk)
    {
        foreach (var found in frames)
        {
            var entries = new EntryReader(Load(found, disk));
            while (entries.MoveNext())
            {
                if (entries.Kind == EntryKind.CreateTopic) topics.Add(entries.Topic, entries.Name, entries.Number, entries.Config);
                else if (entries.Kind == EntryKind.AddPartitions && topics.Taken(entries.Topic) is { } topic) topics.Widen(topic, entries.Number);
            }
        }
    }

    static byte[] Load(in FoundFrame found, IDisk disk)
    {
        var frame = new byte[found.Header.Length];
        using var file = disk.Open(found.Path, create: false);
        file.Read(frame, found.Position);
        return frame;
    }
}
