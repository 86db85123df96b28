using IotGateway.Log.Bytes;

namespace IotGateway.Log.Commit;

/// <summary>One round of the pipeline: a frame and all who wait for it. Handed from the committer to the applier and back for reuse.</summary>
sealed class Cycle
{
    public ByteWriter Frame { get; } = new(64 << 10);
    public List<Work> Works { get; } = [];

    /// <summary>Appends that may be read before the frame is synced.</summary>
    public List<Exposed> Exposed { get; } = [];

    /// <summary>Batches in the frame whose checksums have been checked: not to be computed again.</summary>
    public List<Wal.KnownSum> Known { get; } = [];

    public long Sequence { get; set; }
    /// <summary>By the log's clock, ms.</summary>
    public long Time { get; set; }

    /// <summary>By the machine's clock, ms: what records and markers are stamped with.</summary>
    public long Stamp { get; set; }
    public bool HasEntries => Frame.Length > Wal.FrameFormat.HeaderSize;

    /// <summary>Whether something in it must be synced before anybody is answered.</summary>
    public bool MustSync { get; set; }

    /// <summary>How soon the frame has to be synced, when not at once.</summary>
    public TimeSpan SyncWithin { get; set; } = TimeSpan.MaxValue;

    /// <summary>The committer's part of a checkpoint as of this frame; null when none is asked for.</summary>
    public byte[]? Snapshot { get; set; }
    public bool Clean { get; set; }

    public void Reset()
    {
        Frame.Trim(2 << 20);
        Frame.MoveTo(Wal.FrameFormat.HeaderSize);
        Works.Clear();
        Exposed.Clear();
        Known.Clear();
        MustSync = Clean = false;
        SyncWithin = TimeSpan.MaxValue;
        Snapshot = null;
    }
}

/// <summary>An append that may be read from the frame's buffer.</summary>
readonly record struct Exposed(Partition Partition, long NextOffset, int At, int Length);
