namespace IotGateway.Broker.Server;

/// <summary>
/// Bytes that requests of all connections may take together: one budget for their frames, claimed before any of them is read, one for what is read out of
/// them. Who finds no room waits in order of arrival. A quarter is for claims of at most 1 MiB alone, so that a few clients that announce huge frames and
/// dawdle do not keep out the many with small ones. Thread-safe.
/// </summary>
internal sealed class MemoryBudget
{
    const int Small = 1 << 20;
    readonly Lock _lock = new();
    readonly Share _small;
    readonly Share _large;

    /// <param name="total">Bytes to share out; more when it would not do for one of the largest claims.</param>
    /// <param name="largest">Bytes of the largest claim there can be.</param>
    public MemoryBudget(long total, int largest)
    {
        _small = new(Math.Max(total / 4, Math.Min(largest, Small)));
        _large = new(Math.Max(total - total / 4, largest));
    }

    /// <summary>Bytes claimed at present.</summary>
    public long Claimed
    {
        get { lock (_lock) return _small.Claimed + _large.Claimed; }
    }

    /// <summary>Whether someone waits.</summary>
    public bool Contended
    {
        get { lock (_lock) return _small.Waiting.Count + _large.Waiting.Count > 0; }
    }

    /// <summary>Returns when the bytes are claimed; cancelled, nothing is.</summary>
    public ValueTask ClaimAsync(int bytes, CancellationToken ct)
    {
        var share = Of(bytes);
        if (bytes > share.Total) throw new ArgumentOutOfRangeException(nameof(bytes), bytes, $"More than the budget of {share.Total} bytes.");
        Waiter waiter;
        lock (_lock)
        {
            if (share.Waiting.Count == 0 && share.TryTake(bytes)) return ValueTask.CompletedTask;
            waiter = new Waiter(bytes);
            share.Waiting.AddLast(waiter);
        }
        return WaitAsync(share, waiter, ct);
    }

    /// <summary>Turns a claim into a smaller one, at once even where those who wait would come first.</summary>
    public void Shrink(int from, int to)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(to, from);
        lock (_lock)
        {
            Of(to).Claimed += to;
            var share = Of(from);
            share.Claimed -= from;
            share.Serve();
        }
    }

    /// <summary>Gives the bytes of one claim back.</summary>
    public void Release(int bytes)
    {
        lock (_lock)
        {
            var share = Of(bytes);
            share.Claimed -= bytes;
            share.Serve();
        }
    }

    Share Of(int bytes) => bytes <= Small ? _small : _large;

    async ValueTask WaitAsync(Share share, Waiter waiter, CancellationToken ct)
    {
        using var _ = ct.Register(() =>
        {
            lock (_lock)
            {
                if (!share.Waiting.Remove(waiter)) return;
                waiter.Granted.TrySetCanceled(ct);
                share.Serve();
            }
        });
        await waiter.Granted.Task;
    }

    sealed class Share(long total)
    {
        public long Total => total;

        public long Claimed { get; set; }

        public LinkedList<Waiter> Waiting { get; } = [];

        public bool TryTake(int bytes)
        {
            if (Claimed + bytes > total) return false;
            Claimed += bytes;
            return true;
        }

        public void Serve()
        {
            while (Waiting.First is { } first && TryTake(first.Value.Bytes))
            {
                Waiting.RemoveFirst();
                first.Value.Granted.TrySetResult();
            }
        }
    }

    sealed record Waiter(int Bytes)
    {
        public TaskCompletionSource Granted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
