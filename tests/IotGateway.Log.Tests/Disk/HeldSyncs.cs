using IotGateway.Log.Disk;

namespace IotGateway.Log.Tests.Disk;

/// <summary>Another disk, but syncs of the write-ahead log do not end while they are held up: frames are written and not durable. Thread-safe.</summary>
sealed class HeldSyncs(IDisk disk) : IDisk, IDisposable
{
    readonly ManualResetEventSlim _free = new(true);

    public void Hold() => _free.Reset();

    public void Release() => _free.Set();

    public IDiskFile Open(string path, bool create)
        => path.EndsWith(".wal", StringComparison.Ordinal) ? new HeldFile(this, disk.Open(path, create)) : disk.Open(path, create);

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
    public void Dispose() => _free.Dispose();

    sealed class HeldFile(HeldSyncs owner, IDiskFile file) : IDiskFile
    {
        public long Length => file.Length;
        public int Read(Span<byte> buffer, long position) => file.Read(buffer, position);
        public void Write(ReadOnlySpan<byte> bytes, long position) => file.Write(bytes, position);
        public void Write(IReadOnlyList<ReadOnlyMemory<byte>> parts, long position) => file.Write(parts, position);
        public void SetLength(long length) => file.SetLength(length);
        public void Dispose() => file.Dispose();

        public void Sync()
        {
            owner._free.Wait();
            file.Sync();
        }
    }
}
