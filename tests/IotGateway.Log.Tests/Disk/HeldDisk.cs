using IotGateway.Log.Disk;

namespace IotGateway.Log.Tests.Disk;

/// <summary>The machine's disk, but checkpoints never end while they are held up: so the write-ahead log fills.</summary>
sealed class HeldDisk : IDisk, IDisposable
{
    readonly LinuxDisk _disk = new();

    readonly ManualResetEventSlim _free = new(true);

    public void Hold(bool hold)
    {
        if (hold) _free.Reset();
        else _free.Set();
    }

    public IDiskFile Open(string path, bool create)
    {
        if (path.EndsWith("state.new", StringComparison.Ordinal)) _free.Wait();
        return _disk.Open(path, create);
    }

    public IDiskFile OpenUncached(string path) => _disk.OpenUncached(path);
    public bool Exists(string path) => _disk.Exists(path);
    public void CreateDirectory(string path) => _disk.CreateDirectory(path);
    public IReadOnlyList<string> Files(string directory) => _disk.Files(directory);
    public IReadOnlyList<string> Directories(string directory) => _disk.Directories(directory);
    public void Rename(string from, string to) => _disk.Rename(from, to);
    public void Link(string path, string name) => _disk.Link(path, name);
    public void Delete(string path) => _disk.Delete(path);
    public void DeleteDirectory(string path) => _disk.DeleteDirectory(path);
    public void SyncDirectory(string path) => _disk.SyncDirectory(path);
    public void SyncAll(string path) => _disk.SyncAll(path);
    public long FreeBytes(string path) => _disk.FreeBytes(path);
    public void Allocate(string path, long bytes) => _disk.Allocate(path, bytes);
    public IDisposable? TryLock(string path) => _disk.TryLock(path);
    public void Dispose() => _free.Dispose();
}
