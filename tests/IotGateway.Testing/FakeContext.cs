using System.Collections.Concurrent;
using System.Text;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;
using IotGateway.Sdk.Health;
using Microsoft.Extensions.Logging;

namespace IotGateway.Testing;

/// <summary>A <see cref="ConnectorContext"/> over a <see cref="DurableStore"/>: what the runtime would be, without the runtime.</summary>
public sealed class FakeContext(DurableStore store, string name = "test", TimeProvider? time = null) : ConnectorContext
{
    readonly ConcurrentDictionary<string, Tag> _tags = new();
    readonly ConcurrentDictionary<string, object> _shared = new();
    readonly Lock _lock = new();

    /// <summary>What was reported.</summary>
    public ConcurrentQueue<PartHealth> Reports { get; } = new();

    /// <summary>What was logged.</summary>
    public TestLogger Log { get; } = new();

    /// <summary>Whether the log takes data; a test may switch it.</summary>
    public bool Accepting { get; set; } = true;

    /// <inheritdoc/>
    public override string Name => name;

    /// <inheritdoc/>
    public override string Gateway => "testgw";

    /// <inheritdoc/>
    public override string InstallId => "0a1b2c3d";

    /// <inheritdoc/>
    public override ILogger Logger => Log;

    /// <inheritdoc/>
    public override TimeProvider Time => time ?? TimeProvider.System;

    /// <inheritdoc/>
    public override bool LogAccepting => Accepting;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, ReadOnlyMemory<byte>> State => store.State;

    /// <inheritdoc/>
    public override Tag? Tag(string device, string name, DataType type, string? unit = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(device);
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (device.Contains('/', StringComparison.Ordinal)) throw new ArgumentException("A device name holds no '/'.", nameof(device));
        return _tags.GetOrAdd(device + "/" + name, key => new Tag(device, name, type, unit, _tags.Count, Name, Encoding.UTF8.GetBytes(key)));
    }

    /// <inheritdoc/>
    public override bool TryGetLast(Tag tag, out Reading last) => store.Last.TryGetValue(tag.ToString(), out last);

    /// <inheritdoc/>
    public override ValueTask SaveAsync(IReadOnlyList<StateChange> changes, CancellationToken ct)
    {
        store.Apply(changes);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public override void Report(PartHealth health) => Reports.Enqueue(health);

    /// <inheritdoc/>
    public override async ValueTask<Lease<T>> ShareAsync<T>(string key, string settings, Func<CancellationToken, ValueTask<T>> open, CancellationToken ct)
    {
        Bus<T> bus;
        lock (_lock) bus = (Bus<T>)_shared.GetOrAdd(key, _ => new Bus<T>(settings, open(ct).AsTask()));
        if (bus.Settings != settings) throw new PermanentException($"'{key}' is held with '{bus.Settings}', asked for with '{settings}'.");
        try
        {
            var value = await bus.Opening.ConfigureAwait(false);
            Interlocked.Increment(ref bus.Holders);
            return new FakeLease<T>(bus, value, () => _shared.TryRemove(key, out _));
        }
        catch
        {
            _shared.TryRemove(key, out _);
            throw;
        }
    }

    sealed class Bus<T>(string settings, Task<T> opening)
    {
        public int Holders;
        public string Settings => settings;
        public Task<T> Opening => opening;
        public CancellationTokenSource Faulted { get; } = new();
    }

    sealed class FakeLease<T>(Bus<T> bus, T value, Action forget) : Lease<T> where T : class, IAsyncDisposable
    {
        public override T Value => value;
        public override CancellationToken Faulted => bus.Faulted.Token;

        public override void Fault(Exception cause)
        {
            forget();
            bus.Faulted.Cancel();
        }

        public override async ValueTask DisposeAsync()
        {
            if (Interlocked.Decrement(ref bus.Holders) != 0) return;
            forget();
            await value.DisposeAsync().ConfigureAwait(false);
        }
    }
}
