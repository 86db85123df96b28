using IotGateway.Sdk;

namespace IotGateway.Connect.Tasks;

/// <summary>Buses shared between connectors and tasks, counted by reference. Thread-safe.</summary>
sealed class BusPool
{
    readonly Dictionary<string, object> _buses = new(StringComparer.Ordinal);
    readonly Lock _lock = new();

    /// <summary>See <see cref="ConnectorContext.ShareAsync"/>.</summary>
    public async ValueTask<Lease<T>> ShareAsync<T>(string key, string settings, string holder, Func<CancellationToken, ValueTask<T>> open, CancellationToken ct)
        where T : class, IAsyncDisposable
    {
        for (;;)
        {
            var bus = Join<T>(key, settings, holder, open);
            try
            {
                await bus.Opened.WaitAsync(ct).ConfigureAwait(false);
                return new BusLease<T>(bus, this, key);
            }
            catch
            {
                await LeaveAsync(bus, key).ConfigureAwait(false);
                // Whoever opened first may have been cancelled for its own reasons: that is no failure of the bus for the next.
                if (bus.Opened.IsCanceled && !ct.IsCancellationRequested) continue;
                throw;
            }
        }
    }

    Bus<T> Join<T>(string key, string settings, string holder, Func<CancellationToken, ValueTask<T>> open) where T : class, IAsyncDisposable
    {
        lock (_lock)
        {
            if (_buses.GetValueOrDefault(key) is { } known)
            {
                if (known is not Bus<T> bus) throw new PermanentException($"Bus '{key}' is in use by '{((IBus)known).Holder}' in another way than '{holder}' wants it. Give them separate endpoints.");
                if (bus.Settings != settings)
                    throw new PermanentException($"Bus '{key}': '{holder}' wants \"{settings}\", but '{bus.Holder}' has it open with \"{bus.Settings}\". Make the settings equal.");
                bus.Holders++;
                return bus;
            }
            var made = new Bus<T>(holder, settings) { Holders = 1 };
            _buses[key] = made;
            made.Start(open);
            return made;
        }
    }

    async ValueTask LeaveAsync<T>(Bus<T> bus, string key) where T : class, IAsyncDisposable
    {
        lock (_lock)
        {
            if (--bus.Holders > 0)
            {
                if (bus.Opened.IsFaulted || bus.Opened.IsCanceled) Forget(bus, key);
                return;
            }
            Forget(bus, key);
        }
        await bus.CloseAsync().ConfigureAwait(false);
    }

    void Fault(object bus, string key)
    {
        lock (_lock) Forget(bus, key);
    }

    void Forget(object bus, string key)
    {
        if (ReferenceEquals(_buses.GetValueOrDefault(key), bus)) _buses.Remove(key);
    }

    interface IBus
    {
        string Holder { get; }
    }

    // Holders is guarded by the pool's lock. The opening is nobody's own: it ends when the last one waiting for it leaves.
    sealed class Bus<T>(string holder, string settings) : IBus where T : class, IAsyncDisposable
    {
        readonly CancellationTokenSource _faulted = new(), _abandoned = new();
        public string Holder => holder;
        public string Settings => settings;
        public int Holders { get; set; }
        public CancellationToken Faulted => _faulted.Token;
        public Task<T> Opened { get; private set; } = null!;

        public void Start(Func<CancellationToken, ValueTask<T>> open) => Opened = Task.Run(() => open(_abandoned.Token).AsTask());

        public void Fault() => _faulted.Cancel();

        public async ValueTask CloseAsync()
        {
            await _abandoned.CancelAsync().ConfigureAwait(false);
            await ((Task)Opened).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (Opened.IsCompletedSuccessfully) await (await Opened.ConfigureAwait(false)).DisposeAsync().ConfigureAwait(false);
            _faulted.Dispose();
            _abandoned.Dispose();
        }
    }

    sealed class BusLease<T>(Bus<T> bus, BusPool pool, string key) : Lease<T> where T : class, IAsyncDisposable
    {
        readonly CancellationToken _faulted = bus.Faulted;
        readonly T _value = bus.Opened.GetAwaiter().GetResult(); // has completed
        int _given;

        public override T Value => _value;
        public override CancellationToken Faulted => _faulted;

        public override void Fault(Exception cause)
        {
            pool.Fault(bus, key);
            if (Volatile.Read(ref _given) == 0) bus.Fault();
        }

        public override ValueTask DisposeAsync() => Interlocked.Exchange(ref _given, 1) == 0 ? pool.LeaveAsync(bus, key) : ValueTask.CompletedTask;
    }
}
