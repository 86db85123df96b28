using IotGateway.Log.Disk;
using IotGateway.Log.Segments;

namespace IotGateway.Log.Scrub;

/// <summary>
/// Writes the checksums of segments that are full, made as they grew, with the checkpoint that has them. A segment that was there at the start is left
/// to the scrubber. The housekeeper's.
/// </summary>
static class Summer
{
    /// <summary>Writes the sidecar of a sealed segment, to be synced with the checkpoint.</summary>
    public static void Take(Segment segment, IDisk disk, SumsCache sums)
    {
        if (!segment.Sealed || segment.Summing is not { } summing) return;
        segment.Summing = null;
        if (summing.Length == 0) return;
        try
        {
            var made = summing.Finish(SegmentSums.OfFile(disk, segment.IndexPath, segment.IndexBytes), SegmentSums.OfFile(disk, segment.TimeIndexPath, segment.TimeIndexBytes));
            using (var file = disk.Open(segment.SumsPath, create: true)) made.Write(file);
            sums.Forget(segment);
        }
        catch (DiskException)
        {
            // Deleted meanwhile, a full disk, or one that fails, which the sync that follows or the next reader tells. The scrubber makes up for it.
        }
    }
}
