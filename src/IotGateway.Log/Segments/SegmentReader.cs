using System.Buffers;
using IotGateway.Log.Disk;
using IotGateway.Log.Records;
using IotGateway.Log.Scrub;

namespace IotGateway.Log.Segments;

/// <summary>
/// The reading side of segments: by offset and by time. What is read of a sealed segment is checked against its block checksums; index entries are hints,
/// checked against the batch headers they point to, and done without when they are missing or wrong. Known rotten ranges are passed over.
/// Stateless but for the segments' hints; any thread.
/// </summary>
/// <exception cref="RottenException">The disk has spoilt the place, and that was not known.</exception>
sealed class SegmentReader(FileCache files, SumsCache sums)
{
    const int ScanBytes = 16 << 10;

    /// <summary>Told of an index that is missing or wrong; must be quick.</summary>
    public Action<Segment> IndexFaulty { get; set; } = _ => { };

    /// <summary>Whole batches from the one holding the offset (or the next there is) up to the end; empty when the segments have none.</summary>
    /// <param name="pool">Where the memory comes from; null: it is new.</param>
    public ReadOnlyMemory<byte> Read(Segment[] segments, long offset, long end, int maxBytes, ArrayPool<byte>? pool = null)
    {
        for (var i = Floor(segments, offset); i < segments.Length; i++)
        {
            var segment = segments[i];
            var size = segment.Size;
            if (size == 0 || segment.Damage?.Skip(0) >= size) continue;
            try
            {
                using var log = files.Rent(segment.LogPath, create: false);
                if (Locate(segment, log.File, size, offset) is not { } place)
                {
                    // Nothing at or after the offset: a rotten last header may say so, too.
                    if (segment.Damage is null) CheckFile(segments, i, log.File, LastBlock(size), size);
                    continue;
                }
                var wall = segment.Damage?.Wall(place.Position, size) ?? size;
                var most = (int)Math.Min(wall - place.Position, Math.Max(maxBytes, place.Size));
                var bytes = pool?.Rent(most) ?? GC.AllocateUninitializedArray<byte>(most);
                var got = log.File.Read(bytes.AsSpan(0, most), place.Position);
                var (from, to) = BatchRange.Of(bytes.AsSpan(0, got), offset, end, maxBytes);
                Check(segments, i, log.File, place.ScannedFrom, place.Position, bytes.AsSpan(0, to > from ? to : got));
                if (to == from && got >= RecordBatch.HeaderSize && new RecordBatch(bytes).BaseOffset >= end) return default;
                if (to == from) throw Rotten(segment, place.Position);
                segment.Remember(LastOffset(bytes.AsSpan(from, to - from)) + 1, place.Position + to);
                return bytes.AsMemory(from, to - from);
            }
            catch (DiskException e) when (Damage.IsRot(e) && e.Path == segment.LogPath)
            {
                throw new RottenException(segment, "cannot be read:", e);
            }
        }
        return default;
    }

    /// <summary>The first batch, at or after <paramref name="offset"/>, that may have a record of that time or later; null when there is none. Markers are none.</summary>
    public ReadOnlyMemory<byte>? FindBatch(Segment[] segments, int index, long timestamp, long offset, long end)
    {
        var segment = segments[index];
        var size = segment.Size;
        if (size == 0 || segment.MaxTimestamp < timestamp || segment.Damage?.Skip(0) >= size) return null;
        try
        {
            using var log = files.Rent(segment.LogPath, create: false);
            if (Locate(segment, log.File, size, Math.Max(OffsetBefore(segment, log.File, size, timestamp), offset)) is not { } place) return null;
            foreach (var (position, batchSize) in Batches(segment, log.File, place.Position, size))
            {
                var header = new byte[RecordBatch.HeaderSize];
                log.File.Read(header, position);
                var batch = new RecordBatch(header);
                if (batch.BaseOffset < end && (batch.MaxTimestamp < timestamp || batch.Count == 0 || batch.IsControl || batch.LastOffset < offset)) continue;
                var bytes = new byte[batchSize];
                if (log.File.Read(bytes, position) < batchSize) throw Rotten(segment, position);
                Check(segments, index, log.File, place.ScannedFrom, position, bytes);
                return batch.BaseOffset < end ? bytes : (ReadOnlyMemory<byte>?)null;
            }
            return null;
        }
        catch (DiskException e) when (Damage.IsRot(e) && e.Path == segment.LogPath)
        {
            throw new RottenException(segment, "cannot be read:", e);
        }
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

    static long LastBlock(long size) => (size - 1) / SegmentSums.Block * SegmentSums.Block;

    // What was looked through on the way counts too: a rotten header there may have hidden a batch.
    void Check(Segment[] segments, int index, IDiskFile log, long scannedFrom, long position, ReadOnlySpan<byte> bytes)
    {
        Check(segments, index, log, position, bytes);
        if (scannedFrom / SegmentSums.Block < position / SegmentSums.Block) CheckFile(segments, index, log, scannedFrom, position);
    }

    void CheckFile(Segment[] segments, int index, IDiskFile log, long from, long to)
    {
        if (index + 1 == segments.Length) return;
        var bytes = ArrayPool<byte>.Shared.Rent(SegmentSums.Block);
        try
        {
            for (; from < to; from += bytes.Length)
                Check(segments, index, log, from, bytes.AsSpan(0, log.Read(bytes.AsSpan(0, (int)Math.Min(bytes.Length, to - from)), from)));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    // The last segment grows: it has no checksums yet, nor has one that is not in a checkpoint.
    void Check(Segment[] segments, int index, IDiskFile log, long position, ReadOnlySpan<byte> bytes)
    {
        var segment = segments[index];
        if (index + 1 == segments.Length || sums.Of(segment) is not { } known) return;
        if (known.FirstBad(log, position, bytes, segment.Damage) is >= 0 and var block)
            throw new RottenException(segment, $"is not as it was written, from position {block * SegmentSums.Block} on.");
    }

    (long Position, int Size, long ScannedFrom)? Locate(Segment segment, IDiskFile log, long size, long offset)
    {
        var hint = segment.Hint(offset);
        if (hint >= 0 && hint < size && Find(segment, log, hint, size, offset, hinted: true, out _) is { } hinted) return (hinted.Position, hinted.Size, hint);
        var start = Lookup(segment, offset);
        if (start != 0)
        {
            var wrong = start < 0 || start >= size;
            if (!wrong && Find(segment, log, start, size, offset, hinted: true, out wrong) is { } found) return (found.Position, found.Size, start);
            if (!wrong) return null;
            if (segment.Damage is null) IndexFaulty(segment);
        }
        return Find(segment, log, 0, size, offset, hinted: false, out _) is { } place ? (place.Position, place.Size, 0) : null;
    }

    long Lookup(Segment segment, long offset)
    {
        if (segment.IndexBytes == 0) return 0;
        try
        {
            using var index = files.Rent(segment.IndexPath, create: false);
            return SegmentIndex.PositionAtOrBefore(index.File, segment.IndexBytes, offset - segment.BaseOffset);
        }
        catch (DiskException e) when (Damage.IsRot(e) && e.Path == segment.IndexPath)
        {
            IndexFaulty(segment);
            return 0;
        }
    }

    // What the time index says, if a batch says the same; a wrong entry would hide records.
    long OffsetBefore(Segment segment, IDiskFile log, long size, long timestamp)
    {
        if (segment.TimeIndexBytes == 0) return segment.BaseOffset;
        try
        {
            (long Time, long Offset)? entry;
            using (var timeIndex = files.Rent(segment.TimeIndexPath, create: false))
                entry = SegmentIndex.EntryBefore(timeIndex.File, segment.TimeIndexBytes, timestamp);
            if (entry is not { } hint) return segment.BaseOffset;
            var offset = segment.BaseOffset + hint.Offset;
            if (Locate(segment, log, size, offset) is { } place)
            {
                var header = new byte[RecordBatch.HeaderSize];
                log.Read(header, place.Position);
                var batch = new RecordBatch(header);
                if (batch.LastOffset == offset && batch.MaxTimestamp == hint.Time) return offset;
            }
            if (segment.Damage is null) IndexFaulty(segment);
        }
        catch (DiskException e) when (Damage.IsRot(e) && e.Path == segment.TimeIndexPath)
        {
            IndexFaulty(segment);
        }
        return segment.BaseOffset;
    }

    // With a hint, anything implausible means that the hint is wrong; without, that the segment is. Null otherwise: nothing reaches the offset.
    static (long Position, int Size)? Find(Segment segment, IDiskFile log, long start, long size, long offset, bool hinted, out bool wrong)
    {
        var first = true;
        wrong = false;
        var buffer = ArrayPool<byte>.Shared.Rent(ScanBytes);
        try
        {
            for (var position = segment.Damage?.Skip(start) ?? start; position < size;)
            {
                // No further than a rotten range: it may not be readable.
                var got = log.Read(buffer.AsSpan(0, (int)Math.Min(ScanBytes, (segment.Damage?.Wall(position, size) ?? size) - position)), position);
                var at = 0;
                while (got - at >= RecordBatch.HeaderSize)
                {
                    var batch = new RecordBatch(buffer.AsSpan(at, got - at));
                    wrong = !Plausible(batch, segment, size - position - at) || (hinted && first && batch.BaseOffset > offset);
                    if (wrong) return hinted ? null : throw Rotten(segment, position + at);
                    if (batch.LastOffset >= offset) return (position + at, batch.Size);
                    first = false;
                    at += batch.Size;
                    if (at > got) break;
                }
                wrong = at == 0;
                if (wrong) return hinted ? null : throw Rotten(segment, position);
                position += at;
                position = segment.Damage?.Skip(position) ?? position;
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
        for (var position = start; position < size; position = segment.Damage?.Skip(position) ?? position)
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

    static RottenException Rotten(Segment segment, long position) => new(segment, $"has no valid batch at position {position}.");
}
