using System.Collections.Concurrent;
using IotGateway.Log.Disk;

namespace IotGateway.Log.Tests.Disk;

/// <summary>
/// Another disk, but one open does not end while it is held up. Counts what is opened, and what of that is not closed; a file that is closed must not be
/// used. Thread-safe.
/// </summary>
sealed class HeldOpens(IDisk disk) : OtherDisk(disk)
{
    readonly TaskCompletionSource _opening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly ConcurrentDictionary<string, int> _opened = new(), _unclosed = new();
    string? _held;

    /// <summary>The open that is held up has begun.</summary>
    public Task Opening => _opening.Task;

    /// <summary>The next open of that path is held up; once.</summary>
    public void Hold(string path)
    {
        Free.Reset();
        _held = path;
    }

    public void Release() => Free.Set();

    /// <summary>How often it was opened, or that was tried.</summary>
    public int Opened(string path) => _opened.GetValueOrDefault(path);

    public int Unclosed(string path) => _unclosed.GetValueOrDefault(path);

    public int Unclosed() => _unclosed.Values.Sum();

    public override IDiskFile Open(string path, bool create)
    {
        _opened.AddOrUpdate(path, 1, (_, count) => count + 1);
        if (path == _held && Interlocked.Exchange(ref _held, null) is not null)
        {
            _opening.TrySetResult();
            Free.Wait();
        }
        var file = OpenThere(path, create);
        _unclosed.AddOrUpdate(path, 1, (_, count) => count + 1);
        return new CountedFile(this, file, path);
    }

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
