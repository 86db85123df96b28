namespace IotGateway.Broker.Groups.Core;

/// <summary>
/// One timer for the deadlines of all groups: at a group's deadline <c>due</c> is called, outside of every lock. A deadline moved
/// later costs nothing: the group finds at its tick that nothing is due and asks again. Thread-safe.
/// </summary>
internal sealed class Deadlines : IDisposable
{
    readonly Lock gate = new();
    readonly PriorityQueue<Group, long> queue = new();
    readonly GroupClock clock;
    readonly Action<Group> due;
    readonly ITimer timer;
    long timerAt = long.MaxValue;

    public Deadlines(TimeProvider time, GroupClock clock, Action<Group> due)
    {
        (this.clock, this.due) = (clock, due);
        timer = time.CreateTimer(static state => ((Deadlines)state!).Fire(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Makes sure that the group is called at <paramref name="at"/> or before.</summary>
    public void Set(Group group, long at)
    {
        // Unlocked first look: most calls come from heartbeats and change nothing. Whoever reads an old value here is followed by the
        // tick that made it old, and every tick asks anew.
        if (group.ScheduledAt <= at) return;
        lock (gate)
        {
            if (group.ScheduledAt <= at) return;
            group.ScheduledAt = at;
            queue.Enqueue(group, at);
            Aim();
        }
    }

    public void Dispose() => timer.Dispose();

    void Fire()
    {
        List<Group> ready = [];
        lock (gate)
        {
            timerAt = long.MaxValue;
            var now = clock.Now;
            while (queue.TryPeek(out var group, out var at) && at <= now)
            {
                queue.Dequeue();
                if (group.ScheduledAt != at) continue; // moved earlier since, and called then
                group.ScheduledAt = long.MaxValue;
                ready.Add(group);
            }
            Aim();
        }
        foreach (var group in ready) due(group);
    }

    void Aim()
    {
        if (!queue.TryPeek(out _, out var at) || at >= timerAt) return;
        timerAt = at;
        // The clock counts whole milliseconds, rounded down: one more, so that the deadline has passed when the timer fires.
        timer.Change(TimeSpan.FromMilliseconds(Math.Max(0, at - clock.Now) + 1), Timeout.InfiniteTimeSpan);
    }
}
