using System.Buffers.Binary;
using IotGateway.Log.Disk;
using IotGateway.Log.Records;
using IotGateway.Log.Scrub;
using IotGateway.Log.Segments;

namespace IotGateway.Log.Inspection;

/// <summary>Reads segments from end to end: batches (size, checksum, offsets), then both indexes against them. Collects what is wrong.</summary>
sealed class SegmentCheck(Func<string, IDiskFile> open)
{
    readonly List<LogFinding> _findings = [];

    public IReadOnlyList<LogFinding> Findings => _findings;
    public int Segments { get; private set; }
    public long Batches { get; private set; }
    public long Bytes { get; private set; }
    /// <summary>Segments that have block checksums.</summary>
    public int Summed { get; private set; }

    public void Add(string path, long position, string problem) => _findings.Add(new(path, position, problem));

    /// <summary>Checks one and returns the offset after its last record.</summary>
    /// <param name="segment">The segment, with its sizes as of the checkpoint: what lies behind them is the write-ahead log's.</param>
    /// <param name="next">Offset after the segment before, or -1.</param>
    public long Run(Segment segment, long next)
    {
        Segments++;
        var places = new Dictionary<long, (long Position, long MaxTimestamp)>();
        try
        {
            if (segment.BaseOffset < next) Add(segment.LogPath, -1, $"It starts at offset {segment.BaseOffset}, inside the segment before, which ends at {next}.");
            next = ReadBatches(segment, places);
            CheckIndex(segment, places);
            CheckTimeIndex(segment, places);
        }
        catch (DiskException e)
        {
            Add(segment.LogPath, -1, e.Message);
        }
        return next;
    }

    /// <summary>Compares a sealed segment with its block checksums, which cover what Kafka's do not; without any there is nothing to compare.</summary>
    public void RunSums(Segment segment, SegmentSums? sums)
    {
        if (sums is null) return;
        Summed++;
        try
        {
            using var log = open(segment.LogPath);
            var bytes = new byte[SegmentSums.Block];
            for (long at = 0; at < segment.Size; at += bytes.Length)
            {
                var got = log.Read(bytes.AsSpan(0, (int)Math.Min(bytes.Length, segment.Size - at)), at);
                if (!sums.Holds(at / SegmentSums.Block, bytes.AsSpan(0, got))) Add(segment.LogPath, at, "This block is not as it was written: its checksum differs.");
            }
        }
        catch (DiskException e)
        {
            Add(segment.LogPath, -1, e.Message);
        }
    }

    long ReadBatches(Segment segment, Dictionary<long, (long, long)> places)
    {
        using var log = open(segment.LogPath);
        if (log.Length < segment.Size) Add(segment.LogPath, log.Length, $"It has {log.Length} bytes; {segment.Size} were durable.");
        var next = segment.BaseOffset;
        var bytes = new byte[64 << 10];
        for (long position = 0; position < segment.Size;)
        {
            var got = log.Read(bytes.AsSpan(0, RecordBatch.HeaderSize), position);
            if (got < RecordBatch.HeaderSize) break;
            var batch = new RecordBatch(bytes);
            if (batch.Magic != 2 || batch.Size < RecordBatch.HeaderSize || batch.Size > segment.Size - position)
            {
                Add(segment.LogPath, position, "There is no record batch here; what follows could not be checked.");
                break;
            }
            if (batch.Size > bytes.Length) bytes = new byte[batch.Size];
            log.Read(bytes.AsSpan(0, batch.Size), position);
            batch = new(bytes.AsSpan(0, batch.Size));
            if (!batch.ChecksumHolds) Add(segment.LogPath, position, $"The batch of offsets {batch.BaseOffset} to {batch.LastOffset} fails its checksum.");
            if (batch.BaseOffset < next || batch.LastOffsetDelta < 0)
                Add(segment.LogPath, position, $"The batch starts at offset {batch.BaseOffset}; {next} or more was expected.");
            places[batch.LastOffset] = (position, batch.MaxTimestamp);
            next = Math.Max(next, batch.LastOffset + 1);
            position += batch.Size;
            Batches++;
            Bytes += batch.Size;
        }
        return next;
    }

    void CheckIndex(Segment segment, Dictionary<long, (long Position, long MaxTimestamp)> places)
    {
        if (segment.IndexBytes == 0) return;
        using var index = open(segment.IndexPath);
        var entry = new byte[SegmentIndex.EntrySize];
        for (long at = 0, last = -1; at < segment.IndexBytes; at += entry.Length)
        {
            if (index.Read(entry, at) < entry.Length)
            {
                Add(segment.IndexPath, at, $"It has {index.Length} bytes; {segment.IndexBytes} were durable.");
                return;
            }
            var offset = BinaryPrimitives.ReadInt32BigEndian(entry);
            var position = BinaryPrimitives.ReadInt32BigEndian(entry.AsSpan(4));
            if (offset <= last || !places.TryGetValue(segment.BaseOffset + offset, out var place) || place.Position != position)
                Add(segment.IndexPath, at, $"The entry (offset {segment.BaseOffset + offset}, position {position}) points to no batch.");
            last = offset;
        }
    }

    void CheckTimeIndex(Segment segment, Dictionary<long, (long Position, long MaxTimestamp)> places)
    {
        if (segment.TimeIndexBytes == 0) return;
        using var index = open(segment.TimeIndexPath);
        var entry = new byte[SegmentIndex.TimeEntrySize];
        for (long at = 0, last = -1; at < segment.TimeIndexBytes; at += entry.Length)
        {
            if (index.Read(entry, at) < entry.Length)
            {
                Add(segment.TimeIndexPath, at, $"It has {index.Length} bytes; {segment.TimeIndexBytes} were durable.");
                return;
            }
            var time = BinaryPrimitives.ReadInt64BigEndian(entry);
            var offset = segment.BaseOffset + BinaryPrimitives.ReadInt32BigEndian(entry.AsSpan(8));
            if (time <= last || !places.TryGetValue(offset, out var place) || place.MaxTimestamp != time)
                Add(segment.TimeIndexPath, at, $"The entry (time {time}, offset {offset}) is no batch's.");
            last = time;
        }
    }
}
