using IotGateway.Log.Disk;

namespace IotGateway.Log.Tests.Disk;

/// <summary>Another disk, in which one thing is different: what opening a file gives. As thread-safe as that.</summary>
abstract class OtherDisk(IDisk disk) : IDisk, IDisposable
{
    /// <summary>Set while nothing is held up.</summary>
    protected ManualResetEventSlim Free { get; } = new(true);

    public abstract IDiskFile Open(string path, bool create);

    public IDiskFile OpenUncached(string path) => disk.OpenUncached(path);
    public bool Exists(string path) => disk.Exists(path);
    public void CreateDirectory(string path) => disk.CreateDirectory(path);
    public IReadOnlyList<string> Files(string directory) => disk.Files(directory);
    public IReadOnlyList<string> Directories(string directory) => disk.Directories(directory);
    public void Rename(string from, string to) => disk.Rename(from, to);
    public void Link(string path, string name) => disk.Link(path, name);
    public void Delete(string path) => disk.Delete(path);
    public void DeleteDirectory(string path) => disk.DeleteDirectory(path);
    public void SyncDirectory(string path) => disk.SyncDirectory(path);
    public void SyncAll(string path) => disk.SyncAll(path);
    public long FreeBytes(string path) => disk.FreeBytes(path);
    public void Allocate(string path, long bytes) => disk.Allocate(path, bytes);
    public IDisposable? TryLock(string path) => disk.TryLock(path);
    public void Dispose() => Free.Dispose();

    /// <summary>The other disk's file.</summary>
    protected IDiskFile OpenThere(string path, bool create) => disk.Open(path, create);
}
