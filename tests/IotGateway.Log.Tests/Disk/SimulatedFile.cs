using IotGateway.Log.Disk;

namespace IotGateway.Log.Tests.Disk;

/// <summary>An open file of a <see cref="SimulatedDisk"/>.</summary>
sealed class SimulatedFile(SimulatedDisk disk, SimulatedContent content, string path) : IDiskFile
{
    /// <summary>Reads pass the page cache by.</summary>
    public bool Uncached { get; init; }

    public long Length => disk.Do("length", path, () => content.Space);

    public int Read(Span<byte> buffer, long position)
    {
        var bytes = disk.Do("read", path, () => Uncached ? content.OnDisk() : content.Bytes);
        var count = (int)Math.Clamp(bytes.Length - position, 0, buffer.Length);
        bytes.AsSpan((int)Math.Min(position, bytes.Length), count).CopyTo(buffer);
        return count;
    }

    public void Write(ReadOnlySpan<byte> bytes, long position)
    {
        var copy = bytes.ToArray();
        disk.Do("write", path, () =>
        {
            disk.Room(path, position + copy.Length - content.Space);
            content.Write(position, copy);
            return 0;
        }, () => content.Write(position, copy[..(copy.Length / 2)])); // a failed write may have got some way
    }

    public void Write(IReadOnlyList<ReadOnlyMemory<byte>> parts, long position)
    {
        foreach (var part in parts)
        {
            Write(part.Span, position);
            position += part.Length;
        }
    }

    public void SetLength(long length) => disk.Do("truncate", path, () =>
    {
        content.SetLength(length);
        return 0;
    });

    public void Sync()
    {
        disk.Sync("sync", path, content.FailSync);
        disk.Do("synced", path, () =>
        {
            if (disk.Drops(path)) content.FailSync();
            else if (!disk.Lies) content.Sync();
            return 0;
        });
    }

    public void Dispose() { }
}
