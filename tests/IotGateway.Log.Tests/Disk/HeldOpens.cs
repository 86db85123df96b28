using System.Collections.Concurrent;
using IotGateway.Log.Disk;

namespace IotGateway.Log.Tests.Disk;

/// <summary>
/// Another disk, but one open does not end while it is held up. Counts what is opened, and what of that is not closed; a file that is closed must not be
/// used. Thread-safe.
/// </summary>
sealed class HeldOpens(IDisk disk) : IDisk, IDisposable
{
    readonly ManualResetEventSlim _free = new(true);
    readonly TaskCompletionSource _opening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly ConcurrentDictionary<string, int> _opened = new(), _unclosed = new();
    string? _held;

    /// <summary>The open that is held up has begun.</summary>
    public Task Opening => _opening.Task;

    /// <summary>The next open of that path is held up; once.</summary>
    public void Hold(string path)
    {
        _free.Reset();
        _held = path;
    }

    public void Release() => _free.Set();

    /// <summary>How often it was opened, or that was tried.</summary>
    public int Opened(string path) => _opened.GetValueOrDefault(path);

    public int Unclosed(string path) => _unclosed.GetValueOrDefault(path);

    public int Unclosed() => _unclosed.Values.Sum();

    public IDiskFile Open(string path, bool create)
    {
        _opened.AddOrUpdate(path, 1, (_, count) => count + 1);
        if (path == _held && Interlocked.Exchange(ref _held, null) is not null)
        {
            _opening.TrySetResult();
            _free.Wait();
        }
        var file = disk.Open(path, create);
        _unclosed.AddOrUpdate(path, 1, (_, count) => count + 1);
        return new CountedFile(this, file, path);
    }

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

    sealed class CountedFile(HeldOpens owner, IDiskFile file, string path) : IDiskFile
    {
        int _closed;

        public long Length => File.Length;
        public int Read(Span<byte> buffer, long position) => File.Read(buffer, position);
        public void Write(ReadOnlySpan<byte> bytes, long position) => File.Write(bytes, position);
        public void Write(IReadOnlyList<ReadOnlyMemory<byte>> parts, long position) => File.Write(parts, position);
        public void SetLength(long length) => File.SetLength(length);
        public void Sync() => File.Sync();

        public void Dispose()
        {
            ObjectDisposedException.ThrowIf(Interlocked.Exchange(ref _closed, 1) != 0, this);
            owner._unclosed.AddOrUpdate(path, 0, (_, count) => count - 1);
            file.Dispose();
        }

        IDiskFile File => Volatile.Read(ref _closed) == 0 ? file : throw new ObjectDisposedException(path);
    }
}
