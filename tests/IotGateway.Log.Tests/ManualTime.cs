namespace IotGateway.Log.Tests;

/// <summary>A clock that stands until it is advanced; timers that come due then fire on the caller's thread.</summary>
sealed class ManualTime : TimeProvider
{
    readonly Lock _gate = new();
    readonly List<ManualTimer> _timers = [];
    DateTimeOffset _now = DateTimeOffset.FromUnixTimeMilliseconds(Batches.Time);
    TimeSpan _ahead;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate) return _now + _ahead;
    }

    public override long GetTimestamp() => Passed.Ticks;

    // What timers go by.
    DateTimeOffset Passed
    {
        get
        {
            lock (_gate) return _now;
        }
    }

    /// <summary>Someone sets the clock; no time passes.</summary>
    public void Jump(TimeSpan by)
    {
        lock (_gate) _ahead += by;
    }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        lock (_gate) _timers.Add(timer);
        return timer;
    }

    public void Advance(TimeSpan by)
    {
        List<ManualTimer> due;
        lock (_gate)
        {
            _now += by;
            due = _timers.FindAll(t => t.Due <= _now);
        }
        foreach (var timer in due) timer.Fire();
    }

    sealed class ManualTimer(ManualTime time, TimerCallback callback, object? state) : ITimer
    {
        TimeSpan _period;

        public DateTimeOffset Due { get; private set; } = DateTimeOffset.MaxValue;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _period = period;
            Due = dueTime == Timeout.InfiniteTimeSpan ? DateTimeOffset.MaxValue : time.Passed + dueTime;
            return true;
        }

        public void Fire()
        {
            Due = _period == Timeout.InfiniteTimeSpan ? DateTimeOffset.MaxValue : time.Passed + _period;
            callback(state);
        }

        public void Dispose()
        {
            lock (time._gate) time._timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
