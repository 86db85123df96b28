namespace IotGateway.Testing;

/// <summary>A clock moved by hand. Timers run on the thread that calls <see cref="Advance"/>, in order of their due time. Thread-safe.</summary>
public sealed class ManualTime : TimeProvider
{
    readonly Lock _lock = new();
    readonly List<ManualTimer> _timers = [];
    DateTimeOffset _now;
    long _ticks;

    /// <summary>Starts at 2026-11-20 08:00 UTC.</summary>
    public ManualTime() : this(new DateTimeOffset(2026, 11, 20, 8, 0, 0, TimeSpan.Zero)) { }

    /// <summary>Starts at <paramref name="start"/>.</summary>
    public ManualTime(DateTimeOffset start) => _now = start;

    /// <summary>Timers waiting; lets a test await that the code under test has gone to sleep.</summary>
    public int Waiting { get { lock (_lock) return _timers.Count(t => t.Due is not null); } }

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() { lock (_lock) return _now; }

    /// <inheritdoc/>
    public override long GetTimestamp() { lock (_lock) return _ticks; }

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>Moves on, running what falls due.</summary>
    public void Advance(TimeSpan by)
    {
        long target;
        lock (_lock) target = _ticks + by.Ticks;
        while (true)
        {
            ManualTimer? next;
            lock (_lock)
            {
                next = _timers.Where(t => t.Due <= target).MinBy(t => t.Due);
                var to = next?.Due ?? target;
                if (to > _ticks) { _now += TimeSpan.FromTicks(to - _ticks); _ticks = to; }
                if (next is null) return;
                next.Due = next.Period > TimeSpan.Zero ? to + next.Period.Ticks : null;
            }
            next.Fire();
        }
    }

    /// <summary>Sets the wall clock only, as an operator or NTP would; timers are monotonic and do not notice.</summary>
    public void JumpTo(DateTimeOffset now) { lock (_lock) _now = now; }

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, callback, state);
        lock (_lock) _timers.Add(timer);
        timer.Change(dueTime, period);
        return timer;
    }

    sealed class ManualTimer(ManualTime time, TimerCallback callback, object? state) : ITimer
    {
        public long? Due;
        public TimeSpan Period;

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time._lock)
            {
                Due = dueTime < TimeSpan.Zero ? null : time._ticks + dueTime.Ticks;
                Period = period;
            }
            if (dueTime == TimeSpan.Zero) time.Advance(TimeSpan.Zero);
            return true;
        }

        public void Dispose() { lock (time._lock) time._timers.Remove(this); }

        public ValueTask DisposeAsync() { Dispose(); return ValueTask.CompletedTask; }
    }
}
