using IotGateway.Log.Disk;

namespace IotGateway.Log.Tests.Disk;

/// <summary>Another disk's file, in which one thing is different. As thread-safe as that.</summary>
abstract class OtherFile(IDiskFile file) : IDiskFile
{
    public long Length => file.Length;
    public int Read(Span<byte> buffer, long position) => file.Read(buffer, position);
    public void Write(ReadOnlySpan<byte> bytes, long position) => file.Write(bytes, position);
    public void Write(IReadOnlyList<ReadOnlyMemory<byte>> parts, long position) => file.Write(parts, position);
    public void SetLength(long length) => file.SetLength(length);
    public virtual void StartWriting(long position, long length) => file.StartWriting(position, length);
    public virtual void Sync() => file.Sync();
    public void Dispose() => file.Dispose();
}
