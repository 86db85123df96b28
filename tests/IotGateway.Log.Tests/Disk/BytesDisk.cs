using IotGateway.Log.Disk;

namespace IotGateway.Log.Tests.Disk;

/// <summary>Files whose contents a test gives, by path; nothing else of a file system. For readers, which must not write.</summary>
sealed class BytesDisk : IDisk
{
    public Dictionary<string, byte[]> Contents { get; } = [];

    public IDiskFile Open(string path, bool create) => Contents.TryGetValue(path, out var bytes) ? new BytesFile(bytes) : throw new DiskException("Opening", path, 2, "No such file");
    public IDiskFile OpenUncached(string path) => Open(path, create: false);
    public bool Exists(string path) => Contents.ContainsKey(path);
    public IReadOnlyList<string> Files(string directory) => [];
    public IReadOnlyList<string> Directories(string directory) => [];
    public long FreeBytes(string path) => long.MaxValue;
    public void CreateDirectory(string path) => throw new NotSupportedException();
    public void Rename(string from, string to) => throw new NotSupportedException();
    public void Link(string path, string name) => throw new NotSupportedException();
    public void Delete(string path) => throw new NotSupportedException();
    public void DeleteDirectory(string path) => throw new NotSupportedException();
    public void SyncDirectory(string path) => throw new NotSupportedException();
    public void SyncAll(string path) => throw new NotSupportedException();
    public void Allocate(string path, long bytes) => throw new NotSupportedException();
    public IDisposable? TryLock(string path) => throw new NotSupportedException();

    sealed class BytesFile(byte[] bytes) : IDiskFile
    {
        public long Length => bytes.Length;

        public int Read(Span<byte> buffer, long position)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(position);
            var count = (int)Math.Clamp(bytes.Length - position, 0, buffer.Length);
            bytes.AsSpan((int)Math.Min(position, bytes.Length), count).CopyTo(buffer);
            return count;
        }

        public void Write(ReadOnlySpan<byte> content, long position) => throw new NotSupportedException();
        public void Write(IReadOnlyList<ReadOnlyMemory<byte>> parts, long position) => throw new NotSupportedException();
        public void SetLength(long length) => throw new NotSupportedException();
        public void Sync() => throw new NotSupportedException();
        public void Dispose() { }
    }
}
