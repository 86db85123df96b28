using System.Diagnostics.Metrics;
using IotGateway.Connect.Commands;
using IotGateway.Connect.Configs;
using IotGateway.Connect.EventLog;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;
using Microsoft.Extensions.Logging;

namespace IotGateway.Connect.Tasks;

/// <summary>
/// Runs all connectors of a gateway over one event log: the top of the runtime, for the host and for tests. Thread-safe;
/// operations on the same connector wait for each other. One sick connector never makes a call here fail.
/// </summary>
public sealed class Worker : IAsyncDisposable
{
    public Worker(WorkerOptions options, IEventLog log, ILoggerFactory loggers, TimeProvider time, IMeterFactory meters)
        => throw new NotSupportedException();

    /// <summary>Starts every enabled connector of <paramref name="config"/> and the commands. Returns once all are on their way; not when they are connected.</summary>
    public Task StartAsync(LoadedConfig config, CancellationToken ct) => throw new NotSupportedException();

    /// <summary>
    /// Puts a newly read configuration in force: added connectors start, removed ones are closed with <see cref="CloseReason.Remove"/>,
    /// changed ones are asked to take it in running and are restarted with <see cref="CloseReason.Reconfigure"/> where they cannot.
    /// A configuration with errors changes nothing. Changes of gateway.json need a restart of the process.
    /// </summary>
    /// <exception cref="InvalidOperationException">The configuration has errors.</exception>
    public Task<ConfigDiff> ApplyAsync(LoadedConfig config, CancellationToken ct) => throw new NotSupportedException();

    /// <summary>Stops everything, within 10 s whatever connectors do.</summary>
    public Task StopAsync() => throw new NotSupportedException();

    /// <summary>Pictures of all connectors, by name.</summary>
    public IReadOnlyList<ConnectorSnapshot> Snapshot() => throw new NotSupportedException();

    /// <summary>Picture of one connector, or null.</summary>
    public ConnectorSnapshot? Snapshot(string connector) => throw new NotSupportedException();

    /// <summary>Pauses: remote sessions are kept. Survives restarts of the process. False when there is no such connector.</summary>
    public Task<bool> PauseAsync(string connector, CancellationToken ct) => throw new NotSupportedException();

    /// <summary>Runs again after a pause or stop.</summary>
    public Task<bool> ResumeAsync(string connector, CancellationToken ct) => throw new NotSupportedException();

    /// <summary>Stops. Survives restarts of the process.</summary>
    public Task<bool> StopAsync(string connector, CancellationToken ct) => throw new NotSupportedException();

    /// <summary>Closes and starts anew, also out of Failed; one task of it, or all when <paramref name="task"/> is null.</summary>
    public Task<bool> RestartAsync(string connector, int? task, CancellationToken ct) => throw new NotSupportedException();

    /// <summary>
    /// Uses the running instance of a connector (test, read, browse), or, when none runs, a probe opened for the purpose and
    /// closed after. The instance may not have the capability wanted: the caller looks.
    /// </summary>
    public Task<T> UseAsync<T>(ConnectorConfig config, Func<IConnector, ConnectorContext, CancellationToken, ValueTask<T>> use, CancellationToken ct) => throw new NotSupportedException();

    /// <summary>Last durable readings of a connector's tags.</summary>
    public IReadOnlyList<Reading> LastValues(string connector) => throw new NotSupportedException();

    /// <summary>Commands: submit, wait for outcomes, kill switch.</summary>
    public CommandDesk Commands => throw new NotSupportedException();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => throw new NotSupportedException();
}
