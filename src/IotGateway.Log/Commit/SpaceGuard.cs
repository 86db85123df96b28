using IotGateway.Log.Disk;
using IotGateway.Log.Segments;

namespace IotGateway.Log.Commit;

/// <summary>
/// Keeps the reserve: refuses units that need segment space while it is not held or little else is free. Looks at the disk about once a second or
/// every 16 MiB (oftener under a small budget); while full, more often, so that it recovers by itself. Refuses likewise while the log's budget is used
/// up by what may not go.
/// </summary>
sealed class SpaceGuard(IDisk disk, string directory, Reserve reserve, long reserveBytes, SpaceWaiter waiter, TimeProvider time, long? budget = null)
{
    const long MostUnseen = 16 << 20, LeastUnseen = 256 << 10;
    const int BudgetShare = 64, LowMargins = 4, FreeMargins = 8;
    static readonly TimeSpan LookAfter = TimeSpan.FromSeconds(1), LookAgain = TimeSpan.FromMilliseconds(100);

    readonly long _lookEvery = Math.Clamp((budget ?? long.MaxValue) / BudgetShare, LeastUnseen, MostUnseen);
    long _looked, _bytes = MostUnseen;
    volatile bool _full, _overBudget;

    /// <summary>What may be written between two looks must not touch the reserve.</summary>
    long Margin => Math.Min(reserveBytes, MostUnseen);

    /// <summary>Called after each look, on the thread that looked.</summary>
    public Action Looked { get; set; } = () => { };

    /// <summary>The log has more bytes than it may, and nothing of it may go.</summary>
    public bool OverBudget { get => _overBudget; set => _overBudget = value; }

    /// <summary>Bytes to be freed on the disk before it comes to refusing; 0 when there is enough. Any thread.</summary>
    public long Shortage
    {
        get
        {
            var free = disk.FreeBytes(directory) - (reserve.Held ? 0 : reserveBytes);
            return free < Margin * LowMargins ? Margin * FreeMargins - free : 0;
        }
    }

    /// <summary>Looks again when it was full, so that it recovers though nobody commits. Any thread.</summary>
    public bool Full
    {
        get
        {
            if (_full && time.GetElapsedTime(Volatile.Read(ref _looked)) >= LookAgain) Look(0);
            return _full || _overBudget || waiter.Waiting;
        }
    }

    public bool Allows(int bytes)
    {
        if (waiter.Waiting) return false;
        _bytes += bytes;
        if (_bytes >= _lookEvery || (!_full && !reserve.Held) || time.GetElapsedTime(Volatile.Read(ref _looked)) >= (_full ? LookAgain : LookAfter)) Look(bytes);
        return !_full && !_overBudget;
    }

    /// <summary>Looks at the disk, and takes the reserve again when it can.</summary>
    public void Look(int bytes)
    {
        Volatile.Write(ref _looked, time.GetTimestamp());
        _bytes = 0;
        _full = !reserve.TryTake(Margin + bytes) || disk.FreeBytes(directory) < Margin + bytes;
        Looked();
    }

    public LogFullException Refusal() => new(_overBudget && !_full && !waiter.Waiting
        ? $"The log in '{directory}' has used up its size of {budget >> 20} MiB (log.retention.size), and all of it has to be kept: compacted topics, and what sinks have not delivered. Raise it, or mend the sinks; nothing is lost."
        : $"The disk of '{directory}' has little left but the reserve of {reserveBytes >> 20} MiB. Free space, or lower retention; nothing is lost.");
}
