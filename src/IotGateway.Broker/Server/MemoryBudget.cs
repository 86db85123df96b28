namespace IotGateway.Broker.Server;

/// <summary>
/// Bytes that requests of all connections may take together. A frame's size is claimed before it is read; who finds no room waits in
/// order of arrival. Thread-safe.
/// </summary>
internal sealed class MemoryBudget(long total)
{
    readonly long _total = total;
    readonly Lock _lock = new();
    readonly LinkedList<Waiter> _waiting = [];
    long _free = total;

    /// <summary>Bytes claimed at present.</summary>
    public long Claimed
    {
        get { lock (_lock) return _total - _free; }
    }

    /// <summary>Returns when the bytes are claimed; cancelled, nothing is.</summary>
    public ValueTask ClaimAsync(long bytes, CancellationToken ct)
    {
        if (bytes > _total) throw new ArgumentOutOfRangeException(nameof(bytes), bytes, $"More than the budget of {_total} bytes.");
        Waiter waiter;
        lock (_lock)
        {
            if (_waiting.Count == 0 && _free >= bytes)
            {
                _free -= bytes;
                return ValueTask.CompletedTask;
            }
            waiter = new Waiter(bytes);
            _waiting.AddLast(waiter);
        }
        return WaitAsync(waiter, ct);
    }

    /// <summary>Gives claimed bytes back.</summary>
    public void Release(long bytes)
    {
        lock (_lock)
        {
            _free += bytes;
            Serve();
        }
    }

    async ValueTask WaitAsync(Waiter waiter, CancellationToken ct)
    {
        using var _ = ct.Register(() =>
        {
            lock (_lock)
            {
                if (!_waiting.Remove(waiter)) return;
                waiter.Granted.TrySetCanceled(ct);
                Serve();
            }
        });
        await waiter.Granted.Task;
    }

    void Serve()
    {
        while (_waiting.First is { } first && _free >= first.Value.Bytes)
        {
            _waiting.RemoveFirst();
            _free -= first.Value.Bytes;
            first.Value.Granted.TrySetResult();
        }
    }

    sealed record Waiter(long Bytes)
    {
        public TaskCompletionSource Granted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
