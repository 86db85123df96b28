using IotGateway.Log.Disk;
using IotGateway.Log.Segments;

namespace IotGateway.Log.Commit;

/// <summary>
/// Keeps the reserve: refuses units that need segment space while it is not held or little else is free. Looks at the disk about once a second or
/// every 16 MiB; while full, more often, so that it recovers by itself.
/// </summary>
sealed class SpaceGuard(IDisk disk, string directory, Reserve reserve, long reserveBytes, SpaceWaiter waiter, TimeProvider time)
{
    const long LookEvery = 16 << 20;
    static readonly TimeSpan LookAfter = TimeSpan.FromSeconds(1), LookAgain = TimeSpan.FromMilliseconds(100);

    long _looked, _bytes = LookEvery;
    volatile bool _full;

    /// <summary>What may be written between two looks must not touch the reserve.</summary>
    long Margin => Math.Min(reserveBytes, LookEvery);

    /// <summary>Looks again when it was full, so that it recovers though nobody commits. Any thread.</summary>
    public bool Full
    {
        get
        {
            if (_full && time.GetElapsedTime(Volatile.Read(ref _looked)) >= LookAgain) Look(0);
            return _full || waiter.Waiting;
        }
    }

    public bool Allows(int bytes)
    {
        if (waiter.Waiting) return false;
        _bytes += bytes;
        if (_bytes >= LookEvery || (!_full && !reserve.Held) || time.GetElapsedTime(Volatile.Read(ref _looked)) >= (_full ? LookAgain : LookAfter)) Look(bytes);
        return !_full;
    }

    /// <summary>Looks at the disk, and takes the reserve again when it can.</summary>
    public void Look(int bytes)
    {
        Volatile.Write(ref _looked, time.GetTimestamp());
        _bytes = 0;
        _full = !reserve.TryTake(Margin + bytes) || disk.FreeBytes(directory) < Margin + bytes;
    }

    public LogFullException Refusal()
        => new($"The disk of '{directory}' has little left but the reserve of {reserveBytes >> 20} MiB. Free space, or lower retention; nothing is lost.");
}
