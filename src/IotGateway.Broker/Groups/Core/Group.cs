using IotGateway.Broker.Groups.Classic;
using IotGateway.Broker.Groups.Offsets;

namespace IotGateway.Broker.Groups.Core;

/// <summary>
/// One group: its members (of either protocol), its offsets, its waiting writes and its next deadline.
/// <para>
/// Threading: everything but <see cref="Id"/> and <see cref="ScheduledAt"/> is touched only inside <see cref="GroupLoop.Enter{T}"/>,
/// which holds <see cref="Gate"/>. Inside, nothing takes another lock, waits, or calls out: answers are completed asynchronously,
/// writes are queued and leave after the lock is released, one batch of a group at a time and in order. So what the state says
/// follows what is durable: an offset shows only after its write.
/// </para>
/// </summary>
internal sealed class Group
{
    readonly Queue<PendingWrite> writes = [];
    readonly Queue<Action> whenIdle = [];
    long scheduledAt = long.MaxValue;
    bool writing;

    public Group(string id, GroupEnvironment environment)
    {
        (Id, Environment) = (id, environment);
        Members = new ClassicGroup(this);
    }

    public string Id { get; }
    public GroupEnvironment Environment { get; }
    public Lock Gate { get; } = new();
    public GroupOffsets Offsets { get; } = new();
    public GroupMembers Members { get; set; }

    /// <summary>About to be deleted: nothing may be written any more.</summary>
    public bool Deleting { get; set; }

    /// <summary>Deleted: whoever still holds it must look the group up anew.</summary>
    public bool Removed { get; set; }

    /// <summary>Earliest deadline asked for since the last tick.</summary>
    public long Wanted { get; private set; } = long.MaxValue;

    /// <summary>When the timer calls; owned by <see cref="Deadlines"/>, changed under its lock.</summary>
    public long ScheduledAt
    {
        get => Volatile.Read(ref scheduledAt);
        set => Volatile.Write(ref scheduledAt, value);
    }

    /// <summary>Asks for a tick at that time, at the latest.</summary>
    public void Arm(long deadline) => Wanted = Math.Min(Wanted, deadline);

    /// <summary>Lets every deadline that has passed act, and asks for the next tick.</summary>
    public void Tick(long now)
    {
        Wanted = long.MaxValue;
        if (!Removed) Members.Tick(now);
    }

    /// <summary>Lets what is due by now act even if the timer, which is a few milliseconds late, has not called yet: for who tells how the group is, or deletes it.</summary>
    public void CatchUp()
    {
        var now = Environment.Clock.Now;
        if (Wanted <= now) Tick(now);
    }

    /// <summary>Puts other members in place; what is kept of the former ones goes.</summary>
    public void Replace(GroupMembers successor)
    {
        var tombstones = Members.Tombstones().ToArray();
        Members = successor;
        Write(tombstones, static _ => { });
    }

    /// <summary>Queues a write. <paramref name="done"/> runs inside the group with true once it is durable, with false when it failed.</summary>
    public void Write(IReadOnlyList<TableWrite> entries, Action<bool> done) => Write(() => entries, done);

    /// <summary>Queues a write whose entries are made when its turn comes, and the outcome of all earlier ones is known.</summary>
    public void Write(Func<IReadOnlyList<TableWrite>> entries, Action<bool> done) => writes.Enqueue(new(entries, done));

    /// <summary>Takes everything that waits to be written, unless a batch is under way.</summary>
    public WriteBatch? TakeWrites()
    {
        if (writing || writes.Count == 0) return null;
        writing = true;
        List<TableWrite> entries = [];
        foreach (var write in writes) entries.AddRange(write.Entries());
        WriteBatch batch = new(entries, [.. writes.Select(write => write.Done)]);
        writes.Clear();
        return batch;
    }

    /// <summary>Ends the batch under way.</summary>
    public void Written(WriteBatch batch, bool durable)
    {
        writing = false;
        foreach (var done in batch.Done) done(durable);
        while (IsIdle && whenIdle.TryDequeue(out var step)) step();
    }

    /// <summary>Runs a step when no write waits or is under way: what is in memory then is what is on disk.</summary>
    public void WhenIdle(Action step)
    {
        if (IsIdle) step();
        else whenIdle.Enqueue(step);
    }

    /// <summary>No write waits or is under way.</summary>
    public bool IsIdle => !writing && writes.Count == 0;
}

readonly record struct PendingWrite(Func<IReadOnlyList<TableWrite>> Entries, Action<bool> Done);

/// <summary>Table entries to make durable in one step, and whom to tell.</summary>
internal sealed record WriteBatch(IReadOnlyList<TableWrite> Entries, IReadOnlyList<Action<bool>> Done);
