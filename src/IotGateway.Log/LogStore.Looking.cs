using IotGateway.Log.Compaction;
using IotGateway.Log.Disk;
using Microsoft.Extensions.Logging;

namespace IotGateway.Log;

/// <content>
/// What a start with many partitions has no time for, done once behind it: whether the active segments that no frame touched still have the bytes they
/// were synced with, and what an earlier run left in the folders. A segment that has lost some is examined and mended like any that rots.
/// </content>
public sealed partial class LogStore
{
    /// <summary>Whoever waits for the start has the disk to himself.</summary>
    static readonly TimeSpan LookAfter = TimeSpan.FromSeconds(10);

    Task _looking = Task.CompletedTask;

    async Task LookAroundAsync()
    {
        await Task.Delay(LookAfter, _time, _closing.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ForceYielding);
        foreach (var partition in Topics.SelectMany(t => t.Partitions))
        {
            try
            {
                _closing.Token.ThrowIfCancellationRequested();
                LookAt(partition);
                await SweepLeftAsync(partition, _closing.Token).ConfigureAwait(false);
            }
            catch (DiskException e)
            {
                // Whoever reads there is told again, and has it examined.
                if (!partition.Topic.Deleted) Log.NotLookedAt(_logger, partition.Topic.Name, partition.Index, e.Message);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    // Its size first: what is appended meanwhile only makes the file longer.
    void LookAt(Partition partition)
    {
        var files = partition.Files;
        if ((files.Packed is { } packed ? packed.Last(files.Directory) : files.Segments is [.., var last] ? last : null) is not { Size: > 0 } active) return;
        var (path, size) = (active.LogPath, active.Size);
        if (LengthOf(path) >= size || partition.Topic.Deleted) return;
        if (Array.Find(files.Segments, s => s.BaseOffset == active.BaseOffset) is { } segment) ShortFound(segment);
    }

    long LengthOf(string path)
    {
        if (!_disk.Exists(path)) return 0;
        using var file = _disk.Open(path, create: false);
        return file.Length;
    }

    // Segments that an earlier run had no time to delete, and what a crash in the middle of mending left. While frames wait for space, one may yet name it.
    async Task SweepLeftAsync(Partition partition, CancellationToken ct)
    {
        var directory = partition.Files.Directory;
        var left = _disk.Files(directory);
        foreach (var name in left.Where(n => n.EndsWith(".deleted", StringComparison.Ordinal))) _disk.Delete(Path.Combine(directory, name));
        if (_deferred > 0 || !left.Any(IsBeside)) return;
        // Nothing is being replaced now: what lies beside is nobody's. Their names never come again.
        await _compacting.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            foreach (var name in _disk.Files(directory).Where(IsBeside)) _disk.Delete(Path.Combine(directory, name));
        }
        finally
        {
            _compacting.Release();
        }

        static bool IsBeside(string name) => name.EndsWith(Replacement.Suffix, StringComparison.Ordinal);
    }

    static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "The folder of partition {Topic}-{Partition} could not be looked at: {Reason}")]
        public static partial void NotLookedAt(ILogger logger, string topic, int partition, string reason);
    }
}
