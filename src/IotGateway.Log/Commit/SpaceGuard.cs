using IotGateway.Log.Disk;
using IotGateway.Log.Segments;

namespace IotGateway.Log.Commit;

/// <summary>
/// Keeps the reserve: refuses units that need segment space while less than it is free. Looks at the disk about once a second or every 16 MiB;
/// while full, more often, so that it recovers by itself.
/// </summary>
sealed class SpaceGuard(IDisk disk, string directory, long reserve, SpaceWaiter waiter, TimeProvider time)
{
    const long LookEvery = 16 << 20;
    static readonly TimeSpan LookAfter = TimeSpan.FromSeconds(1), LookAgain = TimeSpan.FromMilliseconds(100);

    long _looked, _bytes = LookEvery;
    bool _full;

    /// <summary>Looks again when it was full, so that it recovers though nobody commits. Any thread.</summary>
    public bool Full
    {
        get
        {
            if (_full && time.GetElapsedTime(_looked) >= LookAgain) Look(0);
            return _full || waiter.Waiting;
        }
    }

    public bool Allows(int bytes)
    {
        if (waiter.Waiting) return false;
        _bytes += bytes;
        if (_bytes >= LookEvery || time.GetElapsedTime(_looked) >= (_full ? LookAgain : LookAfter))
        {
            Look(bytes);
        }
        return !_full;
    }

    void Look(int bytes)
    {
        _looked = time.GetTimestamp();
        _bytes = 0;
        _full = disk.FreeBytes(directory) < reserve + bytes;
    }

    public LogFullException Refusal()
        => new($"The disk of '{directory}' has less than the reserve of {reserve >> 20} MiB left. Free space, or lower retention; nothing is lost.");
}
