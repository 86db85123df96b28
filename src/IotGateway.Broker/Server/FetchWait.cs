using IotGateway.Log;

namespace IotGateway.Broker.Server;

/// <summary>
/// Waits, holding no thread, until enough bytes came to any of some partitions or the time is over. Told by the log on its applier's
/// thread; whoever waits goes on elsewhere.
/// </summary>
internal sealed class FetchWait : IPartitionWatcher, IDisposable
{
    readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly IReadOnlyList<Partition> _partitions;
    long _missing;

    public FetchWait(IReadOnlyList<Partition> partitions, long missing)
    {
        (_partitions, _missing) = (partitions, missing);
        foreach (var partition in partitions) partition.Watch(this);
    }

    public void Advanced(Partition partition, int bytes)
    {
        if (bytes == 0 || Interlocked.Add(ref _missing, -bytes) <= 0) _done.TrySetResult();
    }

    /// <summary>Returns when there is enough, the time is over, or the client is gone.</summary>
    public async Task WaitAsync(TimeSpan most, TimeProvider time, CancellationToken ct)
    {
        using var timer = time.CreateTimer(static state => ((TaskCompletionSource)state!).TrySetResult(), _done, most, Timeout.InfiniteTimeSpan);
        using var registration = ct.UnsafeRegister(static state => ((TaskCompletionSource)state!).TrySetResult(), _done);
        await _done.Task;
    }

    public void Dispose()
    {
        foreach (var partition in _partitions) partition.Unwatch(this);
    }
}
