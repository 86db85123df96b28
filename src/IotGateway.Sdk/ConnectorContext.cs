using IotGateway.Sdk.Data;
using IotGateway.Sdk.Health;
using Microsoft.Extensions.Logging;

namespace IotGateway.Sdk;

/// <summary>What the runtime gives a connector. Thread-safe.</summary>
public abstract class ConnectorContext
{
    /// <summary>The connector's name: its configuration file's name without the ending.</summary>
    public abstract string Name { get; }

    /// <summary>The gateway's name.</summary>
    public abstract string Gateway { get; }

    /// <summary>Random and fixed per installation, so that a cloned disk does not fight its twin; 8 characters [0-9a-z].</summary>
    public abstract string InstallId { get; }

    /// <summary>Log of this connector.</summary>
    public abstract ILogger Logger { get; }

    /// <summary>The only clock a connector uses.</summary>
    public abstract TimeProvider Time { get; }

    /// <summary>False while the log cannot take data (disk full, failed).</summary>
    public abstract bool LogAccepting { get; }

    /// <summary>Durable state at the time of opening, by this connector's keys; never by task.</summary>
    public abstract IReadOnlyDictionary<string, ReadOnlyMemory<byte>> State { get; }

    /// <summary>The one tag object for a device's tag, made on first use. Null above <c>limits.tags</c> (counted by the runtime).</summary>
    /// <param name="device">Device name; unique in a gateway, without '/'.</param>
    /// <param name="name">Tag name within the device; may contain '/'.</param>
    /// <param name="type">Type of its values.</param>
    /// <param name="unit">Unit of measure as written to records.</param>
    /// <exception cref="ArgumentException">A name is empty or a device name holds '/'.</exception>
    public abstract Tag? Tag(string device, string name, DataType type, string? unit = null);

    /// <summary>The last durable reading of a tag; survives restarts.</summary>
    public abstract bool TryGetLast(Tag tag, out Reading last);

    /// <summary>Writes state outside a batch; on disk when it returns.</summary>
    public abstract ValueTask SaveAsync(IReadOnlyList<StateChange> changes, CancellationToken ct);

    /// <summary>Reports a part that has no readings to carry its quality (a dead device, a quarantined range).</summary>
    public abstract void Report(PartHealth health);

    /// <summary>
    /// Shares one bus between connectors and tasks: the first caller opens, the last lease closes. Call <see cref="Lease{T}.Fault"/>
    /// when the bus fails: every holder's <see cref="Lease{T}.Faulted"/> is cancelled and the next caller opens anew.
    /// </summary>
    /// <param name="key">Names the bus, for instance <c>serial:/dev/ttyS0</c>.</param>
    /// <param name="settings">Line settings in words; a holder with other settings is a configuration error that names both.</param>
    /// <param name="open">Opens the bus.</param>
    /// <param name="ct">Cancels waiting.</param>
    /// <exception cref="PermanentException">The bus is held with differing settings.</exception>
    public abstract ValueTask<Lease<T>> ShareAsync<T>(string key, string settings, Func<CancellationToken, ValueTask<T>> open, CancellationToken ct)
        where T : class, IAsyncDisposable;
}
