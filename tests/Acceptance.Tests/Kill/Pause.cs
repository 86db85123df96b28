namespace Acceptance.Tests.Kill;

/// <summary>Lets threads rest between two pieces of their work. Thread-safe.</summary>
/// <param name="parties">How many threads there are.</param>
sealed class Pause(int parties)
{
    readonly object _lock = new();
    bool _wanted, _over;
    int _resting;

    /// <summary>Of a working thread: rests if it is to. False once the work is over.</summary>
    public bool Here()
    {
        lock (_lock)
        {
            _resting++;
            Monitor.PulseAll(_lock);
            while (_wanted && !_over) Monitor.Wait(_lock);
            _resting--;
            return !_over;
        }
    }

    /// <summary>Waits until all rest; false after the time.</summary>
    public bool Begin(TimeSpan most)
    {
        lock (_lock)
        {
            _wanted = true;
            while (_resting < parties && !_over)
                if (!Monitor.Wait(_lock, most)) return false;
            return true;
        }
    }

    /// <summary>They go on.</summary>
    public void End()
    {
        lock (_lock)
        {
            _wanted = false;
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>No more work for anybody.</summary>
    public void Over()
    {
        lock (_lock)
        {
            _over = true;
            Monitor.PulseAll(_lock);
        }
    }
}
