using IotGateway.Log.Disk;

namespace IotGateway.Log.Segments;

/// <summary>
/// What the applier does when the disk is full: it uses the reserve, then waits for space, and repeats the very write, for what it writes is
/// acknowledged or about to be. While it waits, <see cref="Waiting"/> makes the committer refuse new units.
/// </summary>
sealed class SpaceWaiter(Reserve? reserve = null)
{
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    readonly object _gate = new();
    bool _stopped = true;

    public bool Waiting { get; private set; }

    /// <summary>For an exception filter: waits and says whether to try again. Not when stopping, nor for other failures.</summary>
    public bool ShouldRetry(DiskException failure)
    {
        if (!failure.IsFull) return false;
        if (reserve?.Release() == true) return true;
        lock (_gate)
        {
            if (_stopped) return false;
            Waiting = true;
            Monitor.Wait(_gate, Pause);
            return !_stopped;
        }
    }

    public void Succeeded() => Waiting = false;

    /// <summary>From now on nobody waits: a full disk is a failure like others (while recovering, and when closing).</summary>
    public void Stop() => Stopped(true);

    /// <summary>Waiting is allowed again: the threads have started.</summary>
    public void Start() => Stopped(false);

    void Stopped(bool stopped)
    {
        lock (_gate)
        {
            _stopped = stopped;
            Monitor.PulseAll(_gate);
        }
    }
}
