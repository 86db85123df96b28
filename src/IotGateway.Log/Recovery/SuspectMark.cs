using IotGateway.Log.Disk;

namespace IotGateway.Log.Recovery;

/// <summary>
/// File <c>suspect</c>: writing or syncing a segment failed, so pages of it may look written and not be on disk. The next start writes everything
/// above the checkpoint into new files and reads it back from the disk before it lets the write-ahead log go; then the mark goes too. Without the
/// mark (it may not be possible to write it) a start still writes all of that again, into the files that are there.
/// </summary>
static class SuspectMark
{
    const string Name = "suspect";

    public static bool IsSet(IDisk disk, string directory) => disk.Exists(Path.Combine(directory, Name));

    public static void Set(IDisk disk, string directory)
    {
        using (var file = disk.Open(Path.Combine(directory, Name), create: true)) file.Sync();
        disk.SyncDirectory(directory);
    }

    public static void Clear(IDisk disk, string directory)
    {
        disk.Delete(Path.Combine(directory, Name));
        disk.SyncDirectory(directory);
    }
}
