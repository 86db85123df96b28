namespace IotGateway.Log.Disk;

/// <summary>An open file. Positional only, so reads and writes may run side by side. Failures are <see cref="DiskException"/>s.</summary>
interface IDiskFile : IDisposable
{
    /// <summary>Bytes from which on it is worth <see cref="StartWriting"/>: less at a time is many small writes.</summary>
    const int WorthStarting = 256 << 10;

    long Length { get; }

    /// <summary>Fills the buffer from the position; fewer bytes only at the end of the file.</summary>
    int Read(Span<byte> buffer, long position);

    /// <summary>Writes all of it.</summary>
    void Write(ReadOnlySpan<byte> bytes, long position);

    /// <summary>Writes all parts one after the other.</summary>
    void Write(IReadOnlyList<ReadOnlyMemory<byte>> parts, long position);

    void SetLength(long length);

    /// <summary>
    /// Has whole pages written to the disk from now on, without waiting: a sync later finds less left to do. A hint, which makes nothing durable and
    /// tells of no failure; the sync does.
    /// </summary>
    void StartWriting(long position, long length) { }

    /// <summary>Makes contents and length durable (fdatasync). After a failure the file must not be trusted or synced again.</summary>
    void Sync();
}
