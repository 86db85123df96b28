namespace IotGateway.Connectors.Modbus.Client;

/// <summary>
/// Hands out a bus's slots by <see cref="Priority"/>. A slot that comes free goes straight to the first waiter of the highest
/// priority, so a command waits for no more than what is already on its way. Thread-safe; allocates only when one has to wait.
/// </summary>
internal sealed class BusQueue<T> where T : class
{
    readonly Lock _gate = new();
    readonly Stack<T> _free;
    readonly Queue<TaskCompletionSource<T>>[] _waiting = [new(), new(), new()];

    /// <summary>Makes one with these slots free.</summary>
    public BusQueue(IEnumerable<T> slots) => _free = new(slots);

    /// <summary>Takes a slot, waiting for one. Give it back with <see cref="Return"/>.</summary>
    public ValueTask<T> TakeAsync(Priority priority, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        TaskCompletionSource<T> waiter;
        lock (_gate)
        {
            // Who comes while others wait finds no free slot: a slot is free only when nobody waits.
            if (_free.TryPop(out var slot)) return new(slot);
            waiter = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting[(int)priority].Enqueue(waiter);
        }
        return ct.CanBeCanceled ? WaitAsync(waiter, ct) : new(waiter.Task);
    }

    /// <summary>Gives a slot back.</summary>
    public void Return(T slot)
    {
        while (true)
        {
            TaskCompletionSource<T>? next = null;
            lock (_gate)
            {
                foreach (var queue in _waiting)
                    if (queue.TryDequeue(out next)) break;
                if (next is null)
                {
                    _free.Push(slot);
                    return;
                }
            }
            if (next.TrySetResult(slot)) return;
        }
    }

    static async ValueTask<T> WaitAsync(TaskCompletionSource<T> waiter, CancellationToken ct)
    {
        await using var registration = ct.UnsafeRegister(static (w, token) => ((TaskCompletionSource<T>)w!).TrySetCanceled(token), waiter).ConfigureAwait(false);
        return await waiter.Task.ConfigureAwait(false);
    }
}
