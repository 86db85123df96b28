using System.Diagnostics.Metrics;
using System.Text;
using IotGateway.Connect.Commands;
using IotGateway.Connect.Configs;
using IotGateway.Connect.EventLog;
using IotGateway.Connect.Health;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;
using Microsoft.Extensions.Logging;

namespace IotGateway.Connect.Tasks;

/// <summary>
/// Runs all connectors of a gateway over one event log: the top of the runtime, for the host and for tests. Thread-safe;
/// operations wait for each other. One sick connector never makes a call here fail.
/// </summary>
public sealed partial class Worker : IAsyncDisposable
{
    const string TargetPrefix = "target\0"; // in the control table: what an operator wants of a connector, where it is not Running

    readonly WorkerOptions _options;
    readonly IEventLog _log;
    readonly ILoggerFactory _loggers;
    readonly ILogger _logger;
    readonly TimeProvider _time;
    readonly Metrics _metrics;
    readonly SemaphoreSlim _turn = new(1);
    volatile Dictionary<string, ConnectorHost> _hosts = new(StringComparer.Ordinal);
    Shared? _shared;
    CommandDesk? _desk;
    DropTeller? _drops;
    Task _health = Task.CompletedTask;
    bool _stopped;

    public Worker(WorkerOptions options, IEventLog log, ILoggerFactory loggers, TimeProvider time, IMeterFactory meters)
    {
        (_options, _log, _loggers, _time) = (options, log, loggers, time);
        _logger = loggers.CreateLogger<Worker>();
        _metrics = new(meters, () => _hosts.Values.SelectMany(h => h.Tasks).Select(t => (t.Tags, (long)t.Status.State, t.Figures.Lag)));
    }

    /// <summary>Commands: submit, wait for outcomes, kill switch.</summary>
    public CommandDesk Commands => _desk ?? throw new InvalidOperationException("The worker is not started.");

    /// <summary>Starts every enabled connector of <paramref name="config"/> and the commands. Returns once all are on their way; not when they are connected.</summary>
    /// <exception cref="InvalidOperationException">The configuration has errors, or the worker was started before.</exception>
    public Task StartAsync(LoadedConfig config, CancellationToken ct) => ExclusiveAsync(async () =>
    {
        if (_shared is not null) throw new InvalidOperationException("The worker was started before.");
        Usable(config);
        var health = new HealthWriter(_log, _time, _loggers.CreateLogger<HealthWriter>());
        _shared = new(config.Gateway.Name, _options, _log, _time, _loggers, _metrics, new(_log), new(), new(_log, _time), health, new());
        _health = health.RunAsync(CancellationToken.None);
        await _log.EnsureTopicsAsync(InternalTopics.All, ct).ConfigureAwait(false);
        await TellLossesAsync(_shared.Gaps, ct).ConfigureAwait(false);
        _drops = new(_log, _shared.Gaps, _time, _loggers.CreateLogger<DropTeller>());
        _log.Pin(Pins(config));
        _desk = new(_shared, config.Gateway.Commands, name => _hosts.GetValueOrDefault(name));
        Add(config.Connectors);
        _desk.Start();
        return true;
    }, ct);

    /// <summary>What the disk has lost is a record too. On a full disk it stays with the log's own messages: a start is worth more.</summary>
    async Task TellLossesAsync(GapBook gaps, CancellationToken ct)
    {
        var lost = await _log.LostAsync(ct).ConfigureAwait(false);
        if (lost.Count == 0) return;
        var unit = new EventUnit();
        foreach (var range in lost) gaps.LostInLog(unit, range);
        try
        {
            await _log.CommitAsync(unit, ct).ConfigureAwait(false);
        }
        catch (IotGateway.Log.LogFullException e)
        {
            Log.Untold(_logger, lost.Count, e.Message);
        }
    }

    /// <summary>
    /// Puts a newly read configuration in force: added connectors start, removed ones are closed with <see cref="CloseReason.Remove"/>,
    /// changed ones are asked to take it in running and are restarted with <see cref="CloseReason.Reconfigure"/> where they cannot.
    /// A configuration with errors changes nothing. Changes of gateway.json need a restart of the process.
    /// </summary>
    /// <exception cref="InvalidOperationException">The configuration has errors, or the worker is not running.</exception>
    public Task<ConfigDiff> ApplyAsync(LoadedConfig config, CancellationToken ct) => ExclusiveAsync(async () =>
    {
        Usable(config);
        Started();
        _log.Pin(Pins(config));
        var diff = ConfigDiff.Between([.. _hosts.Values.Select(h => h.Config)], config.Connectors);
        await Task.WhenAll(diff.Removed.Select(RemoveAsync)).ConfigureAwait(false);
        await Task.WhenAll(diff.Changed.Select(c => ChangeAsync(c.Before, c.After, ct))).ConfigureAwait(false);
        Add(diff.Added);
        return diff;
    }, ct);

    /// <summary>Stops everything, within 10 s whatever connectors do.</summary>
    public Task StopAsync() => ExclusiveAsync(async () =>
    {
        if (_stopped || _shared is not { } shared) return true;
        _stopped = true;
        await _desk!.StopAsync().ConfigureAwait(false);
        await Task.WhenAll(_hosts.Values.Select(h => h.OrderAsync(RunState.Stopped, CloseReason.Stop, last: true))).ConfigureAwait(false);
        if (_drops is not null) await _drops.DisposeAsync().ConfigureAwait(false);
        shared.Health.Complete();
        await _health.WaitAsync(_options.CloseTimeout * 0.5, _time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return true;
    }, CancellationToken.None);

    /// <summary>Pictures of all connectors, by name.</summary>
    public IReadOnlyList<ConnectorSnapshot> Snapshot() => [.. _hosts.Values.OrderBy(h => h.Config.Name, StringComparer.Ordinal).Select(h => h.Snapshot())];

    /// <summary>Picture of one connector, or null.</summary>
    public ConnectorSnapshot? Snapshot(string connector) => _hosts.GetValueOrDefault(connector)?.Snapshot();

    /// <summary>Pauses: remote sessions are kept. Survives restarts of the process. False when there is no such connector, or it is disabled.</summary>
    public Task<bool> PauseAsync(string connector, CancellationToken ct) => TargetAsync(connector, RunState.Paused, CloseReason.Pause, ct);

    /// <summary>Runs again after a pause or stop.</summary>
    public Task<bool> ResumeAsync(string connector, CancellationToken ct) => TargetAsync(connector, RunState.Running, CloseReason.Stop, ct);

    /// <summary>Stops. Survives restarts of the process.</summary>
    public Task<bool> StopAsync(string connector, CancellationToken ct) => TargetAsync(connector, RunState.Stopped, CloseReason.Stop, ct);

    /// <summary>Closes and starts anew, also out of Failed; one task of it, or all when <paramref name="task"/> is null. False when there is none to restart.</summary>
    public Task<bool> RestartAsync(string connector, int? task, CancellationToken ct) => ExclusiveAsync(async () =>
    {
        if (_hosts.GetValueOrDefault(connector) is not { Config.Common.Enabled: true } host || Wanted(connector) != RunState.Running) return false;
        var tasks = host.Tasks.Where(t => task is null || t.Number == task).ToList();
        await Task.WhenAll(tasks.Select(t => t.OrderAsync(RunState.Running, CloseReason.Stop))).ConfigureAwait(false);
        return tasks.Count > 0;
    }, ct);

    /// <summary>
    /// Uses the running instance of a connector (test, read, browse), or, when none runs, a probe opened for the purpose and
    /// closed after. The instance may not have the capability wanted: the caller looks.
    /// </summary>
    public async Task<T> UseAsync<T>(ConnectorConfig config, Func<IConnector, ConnectorContext, CancellationToken, ValueTask<T>> use, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(use);
        if (_hosts.GetValueOrDefault(config.Name) is { } host && host.Config.ContentHash == config.ContentHash)
            foreach (var task in host.Tasks)
                if (task.Live is { } live) return await use(live, task.Context(probe: true), ct).ConfigureAwait(false);
        return await Probe.UseAsync(ProbeShared(), config, use, ct).ConfigureAwait(false);
    }

    /// <summary>Last durable readings of a connector's tags; those that never had one are left out.</summary>
    public IReadOnlyList<Reading> LastValues(string connector)
    {
        var readings = new List<Reading>();
        if (_hosts.GetValueOrDefault(connector) is not { } host) return readings;
        foreach (var tag in host.Board.Tags())
            if (_shared!.Tags.TryGetLast(tag, out var last)) readings.Add(last);
        return readings;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        _turn.Dispose();
    }

    void Add(IReadOnlyList<ConnectorConfig> configs)
    {
        foreach (var config in configs)
        {
            var host = new ConnectorHost(_shared!, config);
            Replace(config.Name, host);
            host.Start(Target(config));
        }
    }

    async Task RemoveAsync(ConnectorConfig config)
    {
        var host = _hosts[config.Name];
        await host.OrderAsync(RunState.Stopped, CloseReason.Remove, last: true).ConfigureAwait(false);
        Replace(config.Name, null);
        _shared!.Tags.Remove(config.Name);
        await ForgetAsync(host, removed: true).ConfigureAwait(false);
    }

    // What is not wanted any more is no gap.
    async Task ForgetAsync(ConnectorHost host, bool removed)
    {
        var name = host.Config.Name;
        var unit = new EventUnit();
        _shared!.Gaps.CloseAll(unit, name, _time.GetUtcNow().UtcDateTime);
        foreach (var task in host.Tasks) unit.Delete(LogTables.Alive, Encoding.UTF8.GetBytes(name + '\0' + task.Key));
        if (removed) unit.Delete(LogTables.Control, Encoding.UTF8.GetBytes(TargetPrefix + name));
        await WriteAsync(unit, name).ConfigureAwait(false);
    }

    async Task ChangeAsync(ConnectorConfig before, ConnectorConfig after, CancellationToken ct)
    {
        var host = _hosts[before.Name];
        try
        {
            if (await host.TryApplyAsync(after, ct).ConfigureAwait(false)) return;
        }
        catch (Exception e) when (e is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            Log.NotTaken(_logger, e, before.Name);
        }
        await host.OrderAsync(RunState.Stopped, CloseReason.Reconfigure, last: true).ConfigureAwait(false);
        if (!after.Common.Enabled) await ForgetAsync(host, removed: false).ConfigureAwait(false);
        var next = new ConnectorHost(_shared!, after);
        Replace(after.Name, next);
        next.Start(Target(after));
    }

    Task<bool> TargetAsync(string connector, RunState target, CloseReason reason, CancellationToken ct) => ExclusiveAsync(async () =>
    {
        if (_hosts.GetValueOrDefault(connector) is not { Config.Common.Enabled: true } host) return false;
        if (Wanted(connector) == target) return true;
        var unit = new EventUnit { Reserved = true };
        var key = Encoding.UTF8.GetBytes(TargetPrefix + connector);
        if (target == RunState.Running) unit.Delete(LogTables.Control, key);
        else unit.Put(LogTables.Control, key, Encoding.UTF8.GetBytes(target.ToString()));
        await _log.CommitAsync(unit, ct).ConfigureAwait(false);
        await host.OrderAsync(target, reason).ConfigureAwait(false);
        return true;
    }, ct);

    RunState Target(ConnectorConfig config) => config.Common.Enabled ? Wanted(config.Name) : RunState.Stopped;

    RunState Wanted(string connector)
        => _log.Get(LogTables.Control, Encoding.UTF8.GetBytes(TargetPrefix + connector)) is { } stored && Enum.TryParse<RunState>(Encoding.UTF8.GetString(stored.Span), out var target)
            ? target : RunState.Running;

    void Replace(string name, ConnectorHost? host)
    {
        lock (_metrics)
        {
            var hosts = new Dictionary<string, ConnectorHost>(_hosts, StringComparer.Ordinal);
            if (host is null) hosts.Remove(name);
            else hosts[name] = host;
            _hosts = hosts;
        }
    }

    async Task WriteAsync(EventUnit unit, string connector)
    {
        try
        {
            await _log.CommitAsync(unit, CancellationToken.None).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            Log.NotForgotten(_logger, e, connector);
        }
    }

    // A probe has tags and a board of its own: nothing it does shows anywhere.
    Shared ProbeShared()
    {
        var health = new HealthWriter(_log, _time, _logger);
        health.Complete();
        return _shared is { } shared ? shared with { Tags = new(_log), Health = health }
            : new("", _options, _log, _time, _loggers, _metrics, new(_log), new(), new(_log, _time), health, new());
    }

    async Task<T> ExclusiveAsync<T>(Func<Task<T>> work, CancellationToken ct)
    {
        await _turn.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            return await work().ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    void Started()
    {
        if (_shared is null || _stopped) throw new InvalidOperationException("The worker is not running.");
    }

    // One that is paused or fails still wants its data; one that is disabled does not.
    static IReadOnlyList<ReaderPin> Pins(LoadedConfig config)
        => [.. config.Connectors.Where(c => c.Common.Enabled && c.Plugin.Info.Roles.HasFlag(ConnectorRoles.Sink) && c.Common.Pin.MaxAge > TimeSpan.Zero)
            .Select(c => new ReaderPin(c.Name, TopicFilter.Of(c.Common.Topics), c.Common.Pin.MaxAge))];

    static void Usable(LoadedConfig config)
    {
        if (config.HasErrors) throw new InvalidOperationException("The configuration has errors; nothing was changed: " + config.Problems.First(p => p.Severity == Severity.Error));
    }

    static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "{Connector}: could not take the changed configuration while running; it is restarted with it.")]
        public static partial void NotTaken(ILogger logger, Exception error, string connector);

        [LoggerMessage(3, LogLevel.Error, "{Count} hole(s) in the log could not be written to gateway.gaps: {Reason}")]
        public static partial void Untold(ILogger logger, int count, string reason);

        [LoggerMessage(2, LogLevel.Warning, "{Connector}: was removed, but its entries in the log could not be.")]
        public static partial void NotForgotten(ILogger logger, Exception error, string connector);
    }
}
