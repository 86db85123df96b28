namespace IotGateway.Broker.Tests.Groups;

/// <summary>Time that passes only when told to. Timers fire inside <see cref="Advance"/>, in order, on the caller's thread.</summary>
sealed class ManualTime : TimeProvider
{
    readonly Lock gate = new();
    readonly List<ManualTimer> timers = [];
    DateTimeOffset now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public int TimerCount
    {
        get
        {
            lock (gate) return timers.Count;
        }
    }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>How far the machine's clock was set from where it was; no time passes by that.</summary>
    public TimeSpan Set { get; set; }

    public override DateTimeOffset GetUtcNow()
    {
        lock (gate) return now + Set;
    }

    public override long GetTimestamp()
    {
        lock (gate) return now.Ticks;
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ManualTimer timer = new(this, () => callback(state));
        timer.Change(dueTime, period);
        lock (gate) timers.Add(timer);
        return timer;
    }

    public void Advance(double milliseconds) => Advance(TimeSpan.FromMilliseconds(milliseconds));

    public void Advance(TimeSpan time)
    {
        var end = new DateTimeOffset(GetTimestamp(), TimeSpan.Zero) + time;
        while (true)
        {
            ManualTimer? next;
            lock (gate)
            {
                next = timers.Where(timer => timer.Due <= end).MinBy(timer => timer.Due);
                if (next is null)
                {
                    now = end;
                    return;
                }
                if (next.Due > now) now = next.Due;
            }
            next.Fire();
        }
    }

    sealed class ManualTimer(ManualTime time, Action callback) : ITimer
    {
        TimeSpan period = Timeout.InfiniteTimeSpan;

        public DateTimeOffset Due { get; private set; } = DateTimeOffset.MaxValue;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time.gate)
            {
                this.period = period;
                Due = dueTime == Timeout.InfiniteTimeSpan ? DateTimeOffset.MaxValue : time.now + dueTime;
            }
            return true;
        }

        public void Fire()
        {
            lock (time.gate) Due = period == Timeout.InfiniteTimeSpan ? DateTimeOffset.MaxValue : Due + period;
            callback();
        }

        public void Dispose()
        {
            lock (time.gate) time.timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
