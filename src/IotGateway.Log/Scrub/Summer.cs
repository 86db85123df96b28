using IotGateway.Log.Disk;
using IotGateway.Log.Segments;

namespace IotGateway.Log.Scrub;

/// <summary>
/// Makes the checksums of segments as they grow, from what is still in the page cache: at a checkpoint, off the path of commits, it reads what has come
/// since the last. A segment that was there at the start is left to the scrubber. The housekeeper's.
/// </summary>
sealed class Summer(IDisk disk, SumsCache sums)
{
    const int Piece = 256 << 10;
    const long Least = 1 << 20; // an open segment is read on when it has that much more

    byte[]? _buffer;

    /// <summary>Takes what is new of a segment in a checkpoint; of a sealed one it writes the sidecar, to be synced with the checkpoint.</summary>
    public void Take(Segment segment)
    {
        if (segment.Summing is not { } summing) return;
        var closed = segment.Sealed;
        var size = segment.Size;
        if (!closed && size - summing.Length < Least) return;
        try
        {
            using (var log = disk.Open(segment.LogPath, create: false)) Read(log, summing, size);
            if (!closed) return;
            segment.Summing = null;
            if (summing.Length < size || size == 0) return;
            var made = summing.Finish(SegmentSums.OfFile(disk, segment.IndexPath, segment.IndexBytes), SegmentSums.OfFile(disk, segment.TimeIndexPath, segment.TimeIndexBytes));
            using (var file = disk.Open(segment.SumsPath, create: true)) made.Write(file);
            sums.Forget(segment);
        }
        catch (DiskException)
        {
            // Deleted meanwhile, a full disk, or one that fails, which the sync that follows or the next reader tells. The scrubber makes up for it.
            segment.Summing = null;
        }
    }

    void Read(IDiskFile log, SumsBuilder to, long size)
    {
        _buffer ??= new byte[Piece];
        while (to.Length < size)
        {
            var got = log.Read(_buffer.AsSpan(0, (int)Math.Min(Piece, size - to.Length)), to.Length);
            if (got == 0) return;
            to.Add(_buffer.AsSpan(0, got));
        }
    }
}
