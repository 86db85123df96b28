using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Mqtt;

/// <summary>Counts QoS 0 messages there was no room for, and turns them into a gap at most once a second. Thread-safe.</summary>
sealed class DropCounter(TimeProvider time)
{
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    readonly Lock _gate = new();
    long _pending;
    DateTime _from;

    /// <summary>Dropped since the start.</summary>
    public long Total { get; private set; }

    /// <summary>Whether drops wait to be reported.</summary>
    public bool IsPending
    {
        get
        {
            lock (_gate) return _pending > 0;
        }
    }

    public void Count()
    {
        lock (_gate)
        {
            Total++;
            if (_pending++ == 0) _from = time.GetUtcNow().UtcDateTime;
        }
    }

    /// <summary>The gap to report now, if any.</summary>
    public Gap? Take()
    {
        lock (_gate)
        {
            if (_pending == 0) return null;
            var now = time.GetUtcNow().UtcDateTime;
            if (now - _from < Pause) return null;
            var gap = new Gap { From = _from, To = now, Reason = "overflow", Lost = _pending };
            _pending = 0;
            return gap;
        }
    }
}
