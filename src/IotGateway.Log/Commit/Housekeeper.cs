using IotGateway.Log.Disk;
using IotGateway.Log.Inspection;
using IotGateway.Log.Recovery;
using IotGateway.Log.Scrub;
using IotGateway.Log.Segments;
using IotGateway.Log.Wal;
using Microsoft.Extensions.Logging;

namespace IotGateway.Log.Commit;

/// <summary>
/// Third thread: writes checkpoints, zero-fills missing write-ahead files, deletes what a checkpoint has made superfluous. A failed sync is final
/// for the log; a full disk is not: the write-ahead log is kept and the checkpoint tried again.
/// </summary>
sealed partial class Housekeeper(IDisk disk, string directory, WalFiles wal, Reserve reserve, SumsCache sums, TimeProvider time, ILogger logger)
{
    const int SyncEach = 32;
    static readonly TimeSpan FullPause = TimeSpan.FromSeconds(1);

    readonly object _gate = new();
    readonly Queue<CheckpointJob> _jobs = [];
    readonly List<string> _doomed = [];
    bool _stop, _filled, _full;
    long _checkpointTicks, _lastCheckpoint, _checkpoints, _checkpointed, _cleaned;

    public Action<bool> Released { get; set; } = _ => { };
    /// <summary>Sequence of the last checkpoint on disk; what is there at the start counts as 0.</summary>
    public long Checkpointed => Volatile.Read(ref _checkpointed);
    /// <summary>Sequence up to which what was deleted is off the disk.</summary>
    public long Cleaned => Volatile.Read(ref _cleaned);
    /// <summary>Time spent writing checkpoints.</summary>
    public TimeSpan CheckpointTime => TimeSpan.FromTicks(Volatile.Read(ref _checkpointTicks));
    /// <summary>When the last one was written.</summary>
    public DateTimeOffset? LastCheckpoint => Volatile.Read(ref _lastCheckpoint) is > 0 and var ticks ? new(ticks, TimeSpan.Zero) : null;
    public long Checkpoints => Volatile.Read(ref _checkpoints);

    public void Post(CheckpointJob job)
    {
        lock (_gate)
        {
            _jobs.Enqueue(job);
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Finishes the jobs that are there, then ends the thread.</summary>
    public void Stop()
    {
        lock (_gate)
        {
            _stop = true;
            Monitor.Pulse(_gate);
        }
    }

    public void Run(Action<Exception> fail)
    {
        try
        {
            while (Next(out var job))
            {
                if (job is not null) TryWrite(job);
                else Fill();
            }
        }
        // The edge of the thread: whatever it is, the log has failed with it.
        catch (Exception e)
        {
            fail(e);
            Released(true);
        }
    }

    /// <summary>Syncs what the state refers to, then replaces the state file, then frees the write-ahead files behind it.</summary>
    public void Write(CheckpointJob job)
    {
        try
        {
            WriteOnce(job);
        }
        catch (DiskException e) when (e.IsFull && reserve.Release())
        {
            WriteOnce(job);
        }
    }

    void WriteOnce(CheckpointJob job)
    {
        var started = time.GetTimestamp();
        foreach (var segment in job.Dirty) Summer.Take(segment, disk, sums);
        if (job.Dirty.Count > SyncEach) disk.SyncAll(directory);
        else
        {
            var parents = job.Dirty.Select(s => Path.GetDirectoryName(s.LogPath)!).Distinct().ToList();
            foreach (var path in job.Dirty.SelectMany(s => s.Paths).Concat(parents.Select(p => Path.Combine(p, PartitionFiles.Metadata))))
                IfThere(path, () =>
                {
                    using var file = disk.Open(path, create: false);
                    file.Sync();
                });
            foreach (var parent in parents) IfThere(parent, () => disk.SyncDirectory(parent));
            disk.SyncDirectory(directory);
        }
        if (job.Verify) Verify(job);
        StateFile.Replace(disk, directory, job.State);
        Volatile.Write(ref _checkpoints, _checkpoints + 1);
        Volatile.Write(ref _checkpointTicks, _checkpointTicks + time.GetElapsedTime(started).Ticks);
        Volatile.Write(ref _lastCheckpoint, time.GetUtcNow().UtcTicks);
        Volatile.Write(ref _checkpointed, job.Sequence);
        wal.Release(job.Sequence);
    }

    // What retention deletes or sets aside meanwhile, between the question and the act too, needs no sync.
    void IfThere(string path, Action act)
    {
        if (!disk.Exists(path)) return;
        try
        {
            act();
        }
        catch (DiskException e) when (e.Errno == Enoent && !disk.Exists(path)) { }
    }

    // After a failed sync: only what reads back from the disk itself is on it.
    void Verify(CheckpointJob job)
    {
        var check = new SegmentCheck(disk.OpenUncached);
        foreach (var segment in job.Dirty)
            if (disk.Exists(segment.LogPath)) check.Run(segment, -1);
        if (check.Findings.Count == 0) return;
        var (path, position, problem) = check.Findings[0];
        throw new DiskException("Reading back", path, Eio, $"position {position}: {problem} The write-ahead log is kept");
    }

    const int Enoent = 2, Eio = 5;

    bool Next(out CheckpointJob? job)
    {
        lock (_gate)
        {
            while (!_jobs.TryDequeue(out job))
            {
                if (_stop) return false;
                if (!_filled) return true;
                Monitor.Wait(_gate);
            }
            return true;
        }
    }

    void TryWrite(CheckpointJob job)
    {
        _doomed.AddRange(job.Doomed);
        try
        {
            Write(job);
            Delete();
            Volatile.Write(ref _cleaned, job.Sequence);
            if (_full) Log.SpaceIsBack(logger);
            _full = false;
            _filled &= wal.IsComplete; // there may be space for the missing ones now
        }
        catch (DiskException e) when (e.IsFull)
        {
            if (!_full) Log.NoSpace(logger, e.Message);
            _full = true;
            lock (_gate)
                if (!_stop) Monitor.Wait(_gate, FullPause);
        }
        Released(true);
    }

    void Delete()
    {
        foreach (var path in _doomed)
        {
            if (path.EndsWith("-delete", StringComparison.Ordinal)) disk.DeleteDirectory(path);
            else disk.Delete(path);
        }
        _doomed.Clear();
    }

    void Fill()
    {
        try
        {
            if (disk.FreeBytes(directory) < wal.FileSize * 2) throw new DiskException("Making another file of", directory, DiskException.Enospc, "Too little space is left");
            _filled = !wal.FillNext();
            if (!_filled) Released(false);
        }
        catch (DiskException e) when (e.IsFull)
        {
            // The log works with fewer files, only with more frequent checkpoints.
            Log.FewerFiles(logger, e.Message);
            _filled = true;
        }
    }

    static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Error, Message = "No space for a checkpoint: {Reason} Free disk space; the write-ahead log keeps everything meanwhile.")]
        public static partial void NoSpace(ILogger logger, string reason);

        [LoggerMessage(Level = LogLevel.Information, Message = "There is space for checkpoints again.")]
        public static partial void SpaceIsBack(ILogger logger);

        [LoggerMessage(Level = LogLevel.Warning, Message = "The write-ahead log stays smaller than configured: {Reason}")]
        public static partial void FewerFiles(ILogger logger, string reason);
    }
}
