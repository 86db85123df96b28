using IotGateway.Log.Disk;
using IotGateway.Log.Records;
using IotGateway.Log.Segments;

namespace IotGateway.Log.Recovery;

/// <summary>
/// An active segment that has fewer bytes than were durable at the checkpoint: the disk has lost them. It is shortened to its whole batches, so
/// that what follows is appended right behind them (a hole in the offsets, never zeros in the file); its indexes start anew.
/// </summary>
static class ShortSegment
{
    /// <summary>Whether the segment was short; if so it has been shortened.</summary>
    /// <param name="disk">The disk.</param>
    /// <param name="segment">The segment as the checkpoint has it.</param>
    /// <param name="nextOffset">Offset after its last whole batch.</param>
    public static bool Repair(IDisk disk, Segment segment, out long nextOffset)
    {
        nextOffset = segment.BaseOffset;
        if (!disk.Exists(segment.LogPath))
        {
            Shorten(segment, 0);
            return true;
        }
        using var log = disk.Open(segment.LogPath, create: false);
        var length = log.Length;
        if (length >= segment.Size) return false;
        var header = new byte[RecordBatch.HeaderSize];
        long end = 0;
        while (log.Read(header, end) == header.Length)
        {
            var batch = new RecordBatch(header);
            if (batch.Magic != 2 || batch.Size < RecordBatch.HeaderSize || batch.Size > length - end || batch.BaseOffset < nextOffset) break;
            nextOffset = batch.LastOffset + 1;
            end += batch.Size;
        }
        Shorten(segment, end);
        return true;
    }

    static void Shorten(Segment segment, long size)
    {
        segment.Size = size;
        segment.IndexBytes = segment.TimeIndexBytes = 0;
        segment.BytesSinceIndex = 0;
        segment.LastIndexedTime = -1;
    }
}
