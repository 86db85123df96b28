using IotGateway.Log.Backup;
using IotGateway.Log.Disk;
using IotGateway.Log.Segments;

namespace IotGateway.Log;

/// <content>
/// Backup of a running log. At a checkpoint the applier, which is the only one to change files, gives every file the state names a second name in the folder
/// <c>backup-staging</c>; from then on neither retention nor compaction nor a deleted topic can take it, and appends go on. What is copied is cut to the
/// lengths in that state. The folder goes at the end, and at the next start should that not come.
/// </summary>
public sealed partial class LogStore
{
    const string StagingName = "backup-staging";
    readonly SemaphoreSlim _backingUp = new(1, 1);

    /// <summary>Writes a copy of the log, as of a moment during the call, into a folder that is missing or empty.</summary>
    /// <exception cref="ArgumentException">The folder is not empty, or lies in the data folder.</exception>
    /// <exception cref="LogSpoiltException">Something in the log is rotten.</exception>
    /// <exception cref="LogFullException">There is no space for it.</exception>
    public async ValueTask<BackupManifest> BackupAsync(string target, CancellationToken ct)
    {
        target = Path.GetFullPath(target);
        if ((target + "/").StartsWith(Path.GetFullPath(_options.Directory) + "/", StringComparison.Ordinal)) throw new ArgumentException("A backup cannot lie in the data folder itself.", nameof(target));
        if (_disk.Files(target).Count + _disk.Directories(target).Count > 0) throw new ArgumentException($"'{target}' is not empty.", nameof(target));
        await _backingUp.WaitAsync(ct).ConfigureAwait(false);
        var staging = Path.Combine(_options.Directory, StagingName);
        try
        {
            _disk.CreateDirectory(target);
            var staged = new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously);
            _applier.HandOver(body => Stage(staging, body, staged));
            while (!staged.Task.IsCompleted) await CheckpointAsync(ct).ConfigureAwait(false);
            var state = await staged.Task.ConfigureAwait(false);
            return await Task.Run(() => LogBackup.Write(_disk, staging, target, state, _time.GetUtcNow(), ct), ct).ConfigureAwait(false);
        }
        catch (DiskException e) when (e.IsFull)
        {
            throw new LogFullException($"There is no space for the backup in '{target}'. {e.Message}");
        }
        finally
        {
            Unstage(staging);
            _backingUp.Release();
        }
    }

    void Stage(string staging, byte[] body, TaskCompletionSource<byte[]> staged)
    {
        try
        {
            Unstage(staging);
            foreach (var partition in _topics.Published.SelectMany(t => t.Partitions))
            {
                var directory = Path.Combine(staging, Path.GetFileName(partition.Files.Directory));
                _disk.CreateDirectory(directory);
                Second(Path.Combine(partition.Files.Directory, PartitionFiles.Metadata), directory);
                foreach (var path in partition.Files.Segments.SelectMany(s => s.Paths)) Second(path, directory);
            }
            staged.SetResult(body);
        }
        catch (DiskException e)
        {
            staged.SetException(e);
        }
    }

    void Second(string path, string directory)
    {
        if (_disk.Exists(path)) _disk.Link(path, Path.Combine(directory, Path.GetFileName(path)));
    }

    void Unstage(string staging)
    {
        foreach (var directory in _disk.Directories(staging)) _disk.DeleteDirectory(Path.Combine(staging, directory));
        _disk.DeleteDirectory(staging);
    }
}
