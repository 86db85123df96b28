using System.Text;
using IotGateway.Connect.EventLog;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;
using IotGateway.Sdk.Health;
using Microsoft.Extensions.Logging;

namespace IotGateway.Connect.Tasks;

/// <summary>What one instance of a connector gets. Thread-safe. Once the instance is being closed, reports are ignored; once it is closed, state changes are refused.</summary>
sealed class RuntimeContext : ConnectorContext
{
    readonly Shared _shared;
    readonly TagOwner _owner;
    readonly Action<PartHealth> _report;
    readonly Lazy<IReadOnlyDictionary<string, ReadOnlyMemory<byte>>> _state;
    readonly bool _probe;
    volatile bool _closing, _ended;

    /// <param name="shared">The gateway's.</param>
    /// <param name="owner">The connector's name, tags and board.</param>
    /// <param name="logger">Log of the connector.</param>
    /// <param name="probe">Leaves nothing behind: no state is shown or kept.</param>
    /// <param name="report">Where reports go.</param>
    public RuntimeContext(Shared shared, TagOwner owner, ILogger logger, bool probe, Action<PartHealth> report)
    {
        (_shared, _owner, Logger, _probe, _report) = (shared, owner, logger, probe, report);
        _state = new(() => _probe ? new Dictionary<string, ReadOnlyMemory<byte>>() : StateKeys.Of(shared.Log, owner.Connector));
    }

    public override string Name => _owner.Connector;
    public override string Gateway => _shared.Gateway;
    public override string InstallId => _shared.Options.InstallId;
    public override ILogger Logger { get; }
    public override TimeProvider Time => _shared.Time;
    public override bool LogAccepting => _shared.Log.Accepting;
    public override IReadOnlyDictionary<string, ReadOnlyMemory<byte>> State => _state.Value;

    public override Tag? Tag(string device, string name, DataType type, string? unit = null) => _shared.Tags.Intern(_owner, device, name, type, unit);

    public override bool TryGetLast(Tag tag, out Reading last) => _shared.Tags.TryGetLast(tag, out last);

    public override async ValueTask SaveAsync(IReadOnlyList<StateChange> changes, CancellationToken ct)
    {
        if (_probe || changes.Count == 0) return;
        // An abandoned instance that wakes up late must not write over its successor's state.
        if (_ended) throw new OperationCanceledException("This instance is closed.");
        var unit = new EventUnit();
        foreach (var change in changes) StateKeys.Put(unit, _owner.Connector, change);
        await _shared.Log.CommitAsync(unit, ct).ConfigureAwait(false);
    }

    public override void Report(PartHealth health)
    {
        if (!_closing) _report(health);
    }

    public override ValueTask<Lease<T>> ShareAsync<T>(string key, string settings, Func<CancellationToken, ValueTask<T>> open, CancellationToken ct)
        => _shared.Buses.ShareAsync(key, settings, Name, open, ct);

    /// <summary>The instance is about to be closed. What it saves in CloseAsync is still kept: there it knows what the next instance must.</summary>
    public void Closing() => _closing = true;

    /// <summary>The instance is closed, or did not close in time.</summary>
    public void End() => _closing = _ended = true;
}

/// <summary>Keys of the table of connectors' state. Pure.</summary>
static class StateKeys
{
    public static IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Of(IEventLog log, string connector)
    {
        var prefix = Encoding.UTF8.GetBytes(connector + '\0');
        return log.Scan(LogTables.State).Where(e => e.Key.Span.StartsWith(prefix))
            .ToDictionary(e => Encoding.UTF8.GetString(e.Key.Span[prefix.Length..]), e => e.Value, StringComparer.Ordinal);
    }

    public static void Put(EventUnit unit, string connector, StateChange change)
    {
        var key = Encoding.UTF8.GetBytes(connector + '\0' + change.Key);
        if (change.Value is { } value) unit.Put(LogTables.State, key, value.Span);
        else unit.Delete(LogTables.State, key);
    }
}
