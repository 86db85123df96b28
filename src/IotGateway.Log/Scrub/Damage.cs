using IotGateway.Log.Disk;

namespace IotGateway.Log.Scrub;

/// <summary>What a scan has found wrong with a segment. Immutable.</summary>
/// <param name="Ranges">Parts without a valid batch, in order, from batch to batch.</param>
/// <param name="Blocks">Blocks that are not as they were written: what is good in them was told by other means.</param>
/// <param name="Anew">Whether the files have to be made anew though no batch is lost: an index is wrong, or only the page cache still had it right.</param>
sealed record Damage(IReadOnlyList<BadRange> Ranges, IReadOnlySet<long> Blocks, bool Anew)
{
    const int Enoent = 2, Eio = 5, Enodata = 61, Euclean = 117, Ebadmsg = 74;

    /// <summary>Whether anything is to be mended.</summary>
    public bool Any => Ranges.Count > 0 || Blocks.Count > 0 || Anew;

    /// <summary>Bytes in rotten ranges.</summary>
    public long Bytes => Ranges.Sum(r => r.To - r.From);

    /// <summary>The position itself, or where the rotten range ends that it lies in.</summary>
    public long Skip(long position)
    {
        foreach (var range in Ranges)
            if (position >= range.From && position < range.To) position = range.To;
        return position;
    }

    /// <summary>Where the next rotten range begins, at most the segment's size.</summary>
    public long Wall(long position, long size)
    {
        foreach (var range in Ranges)
            if (range.From >= position) return Math.Min(range.From, size);
        return size;
    }

    /// <summary>Whether the failure says that the disk has lost what it held; others (no handles left, no memory) pass.</summary>
    public static bool IsRot(DiskException failure) => failure.Errno is Enoent or Eio or Enodata or Euclean or Ebadmsg;
}

/// <summary>A rotten part of a segment and the offsets that are lost with it: none, when they are the same.</summary>
readonly record struct BadRange(long From, long To, long FromOffset, long ToOffset);
