using IotGateway.Log.Disk;
using IotGateway.Log.Scrub;
using IotGateway.Log.Segments;

namespace IotGateway.Log.Backup;

/// <summary>Copies the files a state names, each to its length in the state, checking what has checksums. Stateless.</summary>
static class LogCopy
{
    /// <summary>Copies all segments of a partition into a directory of its own; returns their bytes. Nothing is synced.</summary>
    /// <exception cref="LogSpoiltException">A sealed segment is not as it was written.</exception>
    public static long Copy(IDisk disk, Segment[] segments, string from, string to, CancellationToken ct)
    {
        disk.CreateDirectory(to);
        CopyFile(disk, Path.Combine(from, PartitionFiles.Metadata), Path.Combine(to, PartitionFiles.Metadata), long.MaxValue);
        long bytes = 0;
        foreach (var segment in segments)
        {
            ct.ThrowIfCancellationRequested();
            string In(string directory, string path) => Path.Combine(directory, Path.GetFileName(path));
            var log = In(from, segment.LogPath);
            if (segment.Sealed && SegmentSums.Read(disk, In(from, segment.SumsPath), segment.Size) is { } sums) Check(disk, log, segment.Size, sums);
            CopyFile(disk, log, In(to, segment.LogPath), segment.Size);
            CopyFile(disk, In(from, segment.IndexPath), In(to, segment.IndexPath), segment.IndexBytes);
            CopyFile(disk, In(from, segment.TimeIndexPath), In(to, segment.TimeIndexPath), segment.TimeIndexBytes);
            if (segment.TransactionIndexBytes > 0) CopyFile(disk, In(from, segment.TransactionIndexPath), In(to, segment.TransactionIndexPath), segment.TransactionIndexBytes);
            if (segment.Sealed) CopyFile(disk, In(from, segment.SumsPath), In(to, segment.SumsPath), long.MaxValue);
            bytes += segment.Size;
        }
        return bytes;
    }

    static void Check(IDisk disk, string path, long size, SegmentSums sums)
    {
        using var log = disk.Open(path, create: false);
        var piece = new byte[16 * SegmentSums.Block];
        for (long at = 0; at < size; at += piece.Length)
        {
            var got = log.Read(piece.AsSpan(0, (int)Math.Min(piece.Length, size - at)), at);
            if (sums.FirstBad(log, at, piece.AsSpan(0, got), known: null) >= 0)
                throw new LogSpoiltException($"'{path}' is not as it was written, near position {at}: nothing rotten is copied. Run 'gateway log repair', or let the running gateway's check deal with it, and try again.");
        }
    }

    static void CopyFile(IDisk disk, string from, string to, long length)
    {
        if (!disk.Exists(from)) return; // an index that is missing is made again
        using var source = disk.Open(from, create: false);
        using var target = disk.Open(to, create: true);
        FileCopy.Copy(source, 0, Math.Min(length, source.Length), target);
    }
}
