using IotGateway.Log.Disk;
using IotGateway.Log.Segments;

namespace IotGateway.Log.Scrub;

/// <summary>
/// A segment's log as well as it can be read: past the page cache, and where the disk has it wrong, from the page cache, whichever has the right
/// checksum. What cannot be read at all is zeros. Knows the blocks it could not get right. For reading only, forwards; one caller at a time.
/// </summary>
sealed class RescueFile : IDiskFile
{
    const int Page = 4096;

    readonly SegmentSums? _sums;
    readonly IDiskFile? _disk, _cached;
    readonly HashSet<long> _bad = [];
    readonly byte[] _block = new byte[SegmentSums.Block];
    long _loaded = -1;

    /// <param name="disk">The disk.</param>
    /// <param name="segment">Whose log.</param>
    /// <param name="length">Its bytes.</param>
    /// <param name="sums">Its checksums; null when it has none.</param>
    public RescueFile(IDisk disk, Segment segment, long length, SegmentSums? sums)
    {
        (_sums, Length) = (sums, length);
        (_disk, _cached) = (TryOpen(disk.OpenUncached, segment.LogPath), TryOpen(p => disk.Open(p, create: false), segment.LogPath));
    }

    public long Length { get; }

    /// <summary>Takes what is read, in order, once; null when nobody wants checksums.</summary>
    public SumsBuilder? Building { get; init; }

    /// <summary>Blocks that were never written so, or cannot be read; of those read so far.</summary>
    public IReadOnlySet<long> Bad => _bad;

    /// <summary>Whether something was right in the page cache only.</summary>
    public bool Rescued { get; private set; }

    /// <summary>Whether all blocks a range touches are as they were written, as far as is known. They must have been read.</summary>
    public bool Trusts(long position, int length)
    {
        for (var block = position / SegmentSums.Block; block <= (position + length - 1) / SegmentSums.Block; block++)
            if (_bad.Contains(block)) return false;
        return true;
    }

    public int Read(Span<byte> buffer, long position)
    {
        var done = 0;
        while (done < buffer.Length && position + done < Length)
        {
            var block = (position + done) / SegmentSums.Block;
            var size = Load(block);
            var at = (int)(position + done - block * SegmentSums.Block);
            var count = Math.Min(size - at, buffer.Length - done);
            _block.AsSpan(at, count).CopyTo(buffer[done..]);
            done += count;
        }
        return done;
    }

    public void Write(ReadOnlySpan<byte> bytes, long position) => throw ReadOnly();
    public void Write(IReadOnlyList<ReadOnlyMemory<byte>> parts, long position) => throw ReadOnly();
    public void SetLength(long length) => throw ReadOnly();
    public void Sync() => throw ReadOnly();

    public void Dispose()
    {
        _disk?.Dispose();
        _cached?.Dispose();
    }

    int Load(long block)
    {
        var size = (int)Math.Min(SegmentSums.Block, Length - block * SegmentSums.Block);
        if (block == _loaded) return size;
        _loaded = block;
        var bytes = _block.AsSpan(0, size);
        if (Fill(_disk, block, bytes) && (_sums?.Holds(block, bytes) ?? true))
        {
            if (Building?.Length == block * SegmentSums.Block) Building.Add(bytes);
            return size;
        }
        if (_sums is not null && Fill(_cached, block, bytes) && _sums.Holds(block, bytes))
        {
            Rescued = true;
            return size;
        }
        _bad.Add(block);
        FillByPages(block, bytes);
        return size;
    }

    static bool Fill(IDiskFile? file, long block, Span<byte> bytes)
    {
        try
        {
            return file?.Read(bytes, block * SegmentSums.Block) == bytes.Length;
        }
        catch (DiskException e) when (Damage.IsRot(e))
        {
            return false;
        }
    }

    void FillByPages(long block, Span<byte> bytes)
    {
        for (var at = 0; at < bytes.Length; at += Page)
        {
            var page = bytes.Slice(at, Math.Min(Page, bytes.Length - at));
            page.Clear();
            try
            {
                if ((_cached ?? _disk)?.Read(page, block * SegmentSums.Block + at) is null) return;
            }
            catch (DiskException e) when (Damage.IsRot(e))
            {
                page.Clear();
            }
        }
    }

    static IDiskFile? TryOpen(Func<string, IDiskFile> open, string path)
    {
        try
        {
            return open(path);
        }
        catch (DiskException e) when (Damage.IsRot(e))
        {
            return null;
        }
    }

    static InvalidOperationException ReadOnly() => new("It was opened for reading.");
}
