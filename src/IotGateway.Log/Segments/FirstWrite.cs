using IotGateway.Log.Disk;
using Microsoft.Extensions.Logging;

namespace IotGateway.Log.Segments;

/// <summary>When a segment's files are written for the first time.</summary>
enum WritePhase
{
    /// <summary>Not yet.</summary>
    None,
    /// <summary>Frames are replayed over what they wrote before.</summary>
    Replay,
    /// <summary>The same after a failed sync: the files that are there are not trusted with it.</summary>
    Renew,
    /// <summary>The log is in use.</summary>
    Run,
}

/// <summary>
/// What is done before the first write to a segment's file in each phase. Renewing: its synced part is copied into a new file, synced, read back from
/// the disk itself, and put in its place. Running: what lies behind the recovered end has no frame, so it is cut, a copy kept. Owned by the applier.
/// </summary>
sealed partial class FirstWrite(IDisk disk, FileCache files, string directory, ILogger logger)
{
    readonly Quarantine _quarantine = new(disk, directory);

    public WritePhase Phase { get; set; } = WritePhase.Replay;

    /// <summary>Told of an active segment that has fewer bytes than were durable; on the applier's thread, must be quick.</summary>
    public Action<Segment> Short { get; set; } = _ => { };

    /// <summary>
    /// Whether the disk still has what the checkpoint says of a segment that is about to be written to. What it has lost becomes a hole in the file, for the
    /// frames' positions hold; whoever is told has it examined and mended.
    /// </summary>
    public void Check(Segment segment)
    {
        if (LengthOf(segment.LogPath) < segment.Size) Short(segment);
    }

    /// <param name="path">The file.</param>
    /// <param name="end">Its bytes that count.</param>
    public void Prepare(string path, long end)
    {
        if (Phase == WritePhase.Renew) Renew(path, end);
        else if (Phase == WritePhase.Run) Cut(path, end);
    }

    /// <summary>Cuts what lies behind the end; of record batches a copy is kept.</summary>
    public void Cut(string path, long end)
    {
        if (!disk.Exists(path)) return;
        using var lease = files.Rent(path, create: false);
        var length = lease.File.Length;
        if (length <= end) return;
        // Index entries can be made again from the batches.
        if (path.EndsWith(".log", StringComparison.Ordinal))
        {
            var copy = _quarantine.Keep(path, end, length);
            Log.Excess(logger, length - end, end, path, copy);
        }
        lease.File.SetLength(end);
    }

    void Renew(string path, long end)
    {
        var beside = path + ".renewed";
        using (var file = disk.Open(beside, create: true))
        {
            file.SetLength(0);
            end = Math.Min(end, LengthOf(path));
            if (end > 0)
            {
                using var old = disk.OpenUncached(path);
                FileCopy.Copy(old, 0, end, file);
                file.Sync();
                using var written = disk.OpenUncached(beside);
                if (!FileCopy.AreSame(old, written, end)) throw new DiskException("Reading back", beside, Eio, "The disk has not kept what was synced");
            }
            else file.Sync();
        }
        disk.Rename(beside, path);
        files.Forget(path);
        disk.SyncDirectory(Path.GetDirectoryName(path)!);
    }

    long LengthOf(string path)
    {
        if (!disk.Exists(path)) return 0;
        using var lease = files.Rent(path, create: false);
        return lease.File.Length;
    }

    const int Eio = 5;

    static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Cut {Bytes} bytes behind the recovered end ({End}) of '{File}'; nothing acknowledged was in them. Copy: {Copy}.")]
        public static partial void Excess(ILogger logger, long bytes, long end, string file, string copy);
    }
}
