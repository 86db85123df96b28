namespace IotGateway.Connectors.Mqtt.Session;

/// <summary>
/// Bounds the bytes of messages received and not yet durable. One message is always let through, however large. Thread-safe; one waiter.
/// </summary>
sealed class ByteBudget(long limit)
{
    readonly Lock _gate = new();
    long _used;
    TaskCompletionSource? _waiter;

    public long Used => Volatile.Read(ref _used);

    /// <summary>Takes without waiting; false when it would go over the limit.</summary>
    public bool TryTake(int bytes)
    {
        lock (_gate)
        {
            if (_used > 0 && _used + bytes > limit) return false;
            _used += bytes;
            return true;
        }
    }

    /// <summary>Takes, waiting until others have given back.</summary>
    public async ValueTask TakeAsync(int bytes, CancellationToken ct)
    {
        while (!TryTake(bytes))
        {
            Task waiting;
            lock (_gate)
            {
                if (_used == 0 || _used + bytes <= limit) continue;
                waiting = (_waiter ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }
            await waiting.WaitAsync(ct).ConfigureAwait(false);
        }
    }

    public void Release(long bytes)
    {
        lock (_gate)
        {
            _used -= bytes;
            _waiter?.TrySetResult();
            _waiter = null;
        }
    }
}
