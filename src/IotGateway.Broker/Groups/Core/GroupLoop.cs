using Microsoft.Extensions.Logging;

namespace IotGateway.Broker.Groups.Core;

/// <summary>
/// Lets one step at a time into a group, and afterwards, outside of its lock, sends its writes to the store and its deadline to the
/// timer. A failed write is logged and told to whoever waits for it; the group goes on.
/// </summary>
internal sealed partial class GroupLoop : IDisposable
{
    readonly IGroupStore store;
    readonly GroupClock clock;
    readonly Deadlines deadlines;
    readonly ILogger logger;
    bool failing;

    public GroupLoop(IGroupStore store, GroupClock clock, TimeProvider time, ILogger logger)
    {
        (this.store, this.clock, this.logger) = (store, clock, logger);
        deadlines = new(time, clock, Tick);
    }

    /// <summary>Runs a step inside the group.</summary>
    public T Enter<T>(Group group, Func<Group, T> step)
    {
        T result;
        long wanted;
        WriteBatch? batch;
        lock (group.Gate)
        {
            result = step(group);
            wanted = group.Wanted;
            batch = group.TakeWrites();
        }
        deadlines.Set(group, wanted);
        if (batch is not null) _ = WriteAsync(group, batch);
        return result;
    }

    /// <inheritdoc cref="Enter{T}"/>
    public void Enter(Group group, Action<Group> step) => Enter(group, g =>
    {
        step(g);
        return true;
    });

    public void Dispose() => deadlines.Dispose();

    /// <summary>Runs on a timer's thread, where an exception would end the process: one group's fault stays its own.</summary>
    void Tick(Group group)
    {
        try
        {
            Enter(group, g => g.Tick(clock.Now));
        }
        catch (Exception e)
        {
            Log.StepFailed(logger, group.Id, e);
        }
    }

    async Task WriteAsync(Group group, WriteBatch? batch)
    {
        while (batch is not null)
        {
            var durable = await TryCommitAsync(batch, group.Id).ConfigureAwait(false);
            long wanted;
            try
            {
                lock (group.Gate)
                {
                    group.Written(batch, durable);
                    wanted = group.Wanted;
                    batch = group.TakeWrites();
                }
            }
            // Nobody awaits this: a fault would otherwise be lost.
            catch (Exception e)
            {
                Log.StepFailed(logger, group.Id, e);
                return;
            }
            deadlines.Set(group, wanted);
        }
    }

    async Task<bool> TryCommitAsync(WriteBatch batch, string group)
    {
        try
        {
            if (batch.Entries.Count == 0) return true;
            await store.CommitAsync(batch.Entries, CancellationToken.None).ConfigureAwait(false);
            failing = false;
            return true;
        }
        // Whatever it was, the clients that wait for this write must get their answer: that it did not happen.
        catch (Exception e)
        {
            if (!failing) Log.WriteFailed(logger, group, e);
            failing = true;
            return false;
        }
    }

    static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Offsets or members of consumer group '{Group}' could not be written; its clients are told to try again.")]
        public static partial void WriteFailed(ILogger logger, string group, Exception e);

        [LoggerMessage(LogLevel.Error, "Consumer group '{Group}' failed on a fault of the gateway; restart its consumers if they hang, and report this.")]
        public static partial void StepFailed(ILogger logger, string group, Exception e);
    }
}
