using System.Buffers;
using IotGateway.Log.Disk;

namespace IotGateway.Log.Wal;

/// <summary>
/// Finds the valid frames above a sequence in the write-ahead files, and what is wrong with the others. Reads only; also used to inspect a log
/// that is not running.
/// </summary>
sealed class WalScan
{
    readonly List<FoundFrame> _frames = [];
    readonly List<FoundFile> _files = [];

    /// <summary>Valid frames above the sequence asked for, in order.</summary>
    public IReadOnlyList<FoundFrame> Frames => _frames;

    /// <summary>The files there are.</summary>
    public IReadOnlyList<FoundFile> Files => _files;

    /// <summary>The highest durable sequence recorded in any valid frame.</summary>
    public long Durable { get; private set; }

    /// <summary>Reads the files as they are.</summary>
    public static WalScan Read(IDisk disk, string directory, long after, CancellationToken ct) => Read(disk, directory, after, clean: false, settle: false, static (in _, _) => { }, ct);

    /// <summary>
    /// Reads what a start may build on: syncs the files first, for frames written by a process that was killed may be in the page cache only, then
    /// reads the disk and not the page cache, for that may hold frames whose sync failed. Frames are also handed over as they are met; their bytes are valid
    /// during the call only.
    /// </summary>
    /// <param name="disk">The disk.</param>
    /// <param name="directory">The files'.</param>
    /// <param name="after">The checkpoint's sequence.</param>
    /// <param name="clean">Whether a run ended with that checkpoint: then the file it wrote in has nothing above it, for a start begins another.</param>
    /// <param name="met">Told of each frame.</param>
    /// <param name="ct">Ends it between files.</param>
    public static WalScan ReadDurable(IDisk disk, string directory, long after, bool clean, FrameFound met, CancellationToken ct)
        => Read(disk, directory, after, clean, settle: true, met, ct);

    static WalScan Read(IDisk disk, string directory, long after, bool clean, bool settle, FrameFound met, CancellationToken ct)
    {
        var scan = new WalScan { Durable = after };
        var page = new byte[FrameFormat.Page];
        for (var i = 0; i < WalFiles.Count; i++)
        {
            var path = Path.Combine(directory, WalFiles.NameOf(i));
            if (!disk.Exists(path)) continue;
            using var file = disk.Open(path, create: false);
            var got = file.Read(page, 0);
            var header = FrameFormat.ReadFileHeader(page.AsSpan(0, got), path);
            // A header of zeros was never used; anything else that is no header is damage, or a torn first use.
            var blank = header is null && !page.AsSpan(0, got).ContainsAnyExcept((byte)0);
            scan._files.Add(new(i, path, file.Length, header, blank));
        }
        var used = scan._files.Where(f => f.Header is not null).OrderBy(f => f.Header!.Value.Generation).ToList();
        for (var i = 0; i < used.Count; i++)
        {
            var next = i + 1 < used.Count ? used[i + 1].Header!.Value.FirstSequence : long.MaxValue;
            if (next <= after + 1 || (clean && used[i].Header!.Value.FirstSequence <= after)) continue; // wholly behind the checkpoint
            ct.ThrowIfCancellationRequested();
            if (settle)
            {
                using var dirty = disk.Open(used[i].Path, create: false);
                dirty.Sync();
            }
            using var file = settle ? disk.OpenUncached(used[i].Path) : disk.Open(used[i].Path, create: false);
            // A header that never reached the disk: nor did what is behind it.
            if (settle && (file.Read(page, 0) < page.Length || FrameFormat.ReadFileHeader(page, used[i].Path) != used[i].Header)) continue;
            scan.ReadFrames(used[i], file, after, next, met);
        }
        return scan;
    }

    void ReadFrames(FoundFile found, IDiskFile file, long after, long before, FrameFound met)
    {
        var (salt, expected, _, _) = found.Header!.Value;
        var size = found.Length;
        using var window = new Window(file, size);
        for (long position = FrameFormat.Page; position + FrameFormat.HeaderSize <= size;)
        {
            var header = FrameFormat.ReadHeader(window.At(position, FrameFormat.HeaderSize), salt, size - position);
            if (header is { } frame && frame.Sequence >= expected && frame.Sequence < before
                && FrameFormat.ChecksumHolds(window.At(position, frame.Length)))
            {
                Durable = Math.Max(Durable, frame.DurableSequence);
                if (frame.Sequence > after)
                {
                    _frames.Add(new(found.Path, position, frame));
                    met(_frames[^1], window.At(position, frame.Length));
                }
                expected = frame.Sequence + 1;
                position += FrameFormat.Padded(frame.Length);
                continue;
            }
            // Not a frame: look for the next one of this file behind it, for a hole must not hide what is good.
            if (header is not null) found.Broken.Add(position);
            position += FrameFormat.Page;
        }
    }

    /// <summary>The part of the file that is in memory; moves on with the scan, so that each byte is read about once.</summary>
    sealed class Window(IDiskFile file, long size) : IDisposable
    {
        byte[] _buffer = ArrayPool<byte>.Shared.Rent(1 << 20);
        long _start;
        int _length;

        /// <summary>The bytes there; the file must have them.</summary>
        public ReadOnlySpan<byte> At(long position, int length)
        {
            if (position < _start || position + length > _start + _length)
            {
                if (length > _buffer.Length)
                {
                    ArrayPool<byte>.Shared.Return(_buffer);
                    _buffer = ArrayPool<byte>.Shared.Rent(length);
                }
                _start = position;
                _length = file.Read(_buffer.AsSpan(0, (int)Math.Min(_buffer.Length, size - position)), position);
            }
            return _buffer.AsSpan((int)(position - _start), (int)Math.Min(length, _start + _length - position));
        }

        public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);
    }
}

/// <summary>Told of a valid frame and its bytes.</summary>
delegate void FrameFound(in FoundFrame found, ReadOnlySpan<byte> bytes);

/// <summary>A valid frame and where it lies.</summary>
readonly record struct FoundFrame(string Path, long Position, FrameHeader Header);

/// <summary>A write-ahead file; <see cref="Broken"/> is where frames lie that are this file's but not valid.</summary>
sealed record FoundFile(int Index, string Path, long Length, FileHeader? Header, bool Blank)
{
    public List<long> Broken { get; } = [];
}
