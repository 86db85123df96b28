using System.Buffers;
using IotGateway.Log.Disk;
using IotGateway.Log.Records;

namespace IotGateway.Log.Segments;

/// <summary>
/// The reading side of segments: by offset and by time, through the indexes, whose entries are checked against the batch headers they point to.
/// Stateless but for the segments' hints; any thread.
/// </summary>
sealed class SegmentReader(FileCache files)
{
    const int ScanBytes = 16 << 10;

    /// <summary>Whole batches from the one holding the offset (or the next there is) up to the end; empty when the segments have none.</summary>
    public ReadOnlyMemory<byte> Read(Segment[] segments, long offset, long end, int maxBytes)
    {
        for (var i = Floor(segments, offset); i < segments.Length; i++)
        {
            var segment = segments[i];
            var size = segment.Size;
            if (size == 0) continue;
            using var log = files.Rent(segment.LogPath, create: false);
            if (Locate(segment, log.File, size, offset) is not { } place) continue;
            var bytes = GC.AllocateUninitializedArray<byte>((int)Math.Min(size - place.Position, Math.Max(maxBytes, place.Size)));
            var got = log.File.Read(bytes, place.Position);
            var (from, to) = BatchRange.Of(bytes.AsSpan(0, got), offset, end, maxBytes);
            if (to == from && got >= RecordBatch.HeaderSize && new RecordBatch(bytes).BaseOffset >= end) return default;
            if (to == from) throw Rotten(segment, place.Position);
            segment.Remember(LastOffset(bytes.AsSpan(from, to - from)) + 1, place.Position + to);
            return bytes.AsMemory(from, to - from);
        }
        return default;
    }

    /// <summary>The first batch, at or after <paramref name="offset"/>, that has a record of that time or later; null when there is none.</summary>
    public ReadOnlyMemory<byte>? FindBatch(Segment segment, long timestamp, long offset, long end)
    {
        var size = segment.Size;
        if (size == 0 || segment.MaxTimestamp < timestamp) return null;
        long relative;
        using (var timeIndex = files.Rent(segment.TimeIndexPath, create: false))
            relative = SegmentIndex.OffsetBefore(timeIndex.File, segment.TimeIndexBytes, timestamp);
        using var log = files.Rent(segment.LogPath, create: false);
        if (Locate(segment, log.File, size, Math.Max(segment.BaseOffset + relative, offset)) is not { } place) return null;
        foreach (var (position, batchSize) in Batches(segment, log.File, place.Position, size))
        {
            var header = new byte[RecordBatch.HeaderSize];
            log.File.Read(header, position);
            var batch = new RecordBatch(header);
            if (batch.BaseOffset >= end) return null;
            if (batch.MaxTimestamp < timestamp || batch.Count == 0) continue;
            var bytes = new byte[batchSize];
            return log.File.Read(bytes, position) == batchSize ? bytes : throw Rotten(segment, position);
        }
        return null;
    }

    /// <summary>Index of the last segment that starts at or before the offset, or 0.</summary>
    public static int Floor(Segment[] segments, long offset)
    {
        int low = 0, high = segments.Length - 1;
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (segments[middle].BaseOffset <= offset) low = middle;
            else high = middle - 1;
        }
        return low;
    }

    (long Position, int Size)? Locate(Segment segment, IDiskFile log, long size, long offset)
    {
        var hint = segment.Hint(offset);
        if (hint >= 0 && hint < size && Find(segment, log, hint, size, offset, hinted: true) is { } hinted) return hinted;
        long start;
        using (var index = files.Rent(segment.IndexPath, create: false))
            start = SegmentIndex.PositionAtOrBefore(index.File, segment.IndexBytes, offset - segment.BaseOffset);
        if (start > 0 && start < size && Find(segment, log, start, size, offset, hinted: true) is { } found) return found;
        return Find(segment, log, 0, size, offset, hinted: false);
    }

    // With a hint, anything implausible means that the hint is wrong (null); without, that the segment is.
    static (long Position, int Size)? Find(Segment segment, IDiskFile log, long start, long size, long offset, bool hinted)
    {
        var first = true;
        var buffer = ArrayPool<byte>.Shared.Rent(ScanBytes);
        try
        {
            for (var position = start; position < size;)
            {
                var got = log.Read(buffer.AsSpan(0, (int)Math.Min(ScanBytes, size - position)), position);
                var at = 0;
                while (got - at >= RecordBatch.HeaderSize)
                {
                    var batch = new RecordBatch(buffer.AsSpan(at, got - at));
                    if (!Plausible(batch, segment, size - position - at) || (hinted && first && batch.BaseOffset > offset))
                        return hinted ? null : throw Rotten(segment, position + at);
                    if (batch.LastOffset >= offset) return (position + at, batch.Size);
                    first = false;
                    at += batch.Size;
                    if (at > got) break;
                }
                if (at == 0) return hinted ? null : throw Rotten(segment, position);
                position += at;
            }
            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    static IEnumerable<(long Position, int Size)> Batches(Segment segment, IDiskFile log, long start, long size)
    {
        var header = new byte[RecordBatch.HeaderSize];
        for (var position = start; position < size;)
        {
            var got = log.Read(header, position);
            if (got < header.Length || !Plausible(new(header), segment, size - position)) throw Rotten(segment, position);
            var batchSize = new RecordBatch(header).Size;
            yield return (position, batchSize);
            position += batchSize;
        }
    }

    static bool Plausible(in RecordBatch batch, Segment segment, long room)
        => batch.Magic == 2 && batch.Size >= RecordBatch.HeaderSize && batch.Size <= room && batch.BaseOffset >= segment.BaseOffset
            && batch.LastOffsetDelta >= 0;

    static long LastOffset(ReadOnlySpan<byte> batches)
    {
        long last = -1;
        while (!batches.IsEmpty)
        {
            var batch = new RecordBatch(batches);
            last = batch.LastOffset;
            batches = batches[batch.Size..];
        }
        return last;
    }

    static InvalidDataException Rotten(Segment segment, long position)
        => new($"'{segment.LogPath}' has no valid batch at position {position}. Run 'gateway log verify'.");
}
