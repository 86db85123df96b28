using System.Diagnostics.Metrics;
using System.Globalization;
using System.Net;
using System.Reflection;
using System.Text.Json.Nodes;
using IotGateway.Broker;
using IotGateway.Connect.Configs;
using IotGateway.Connect.EventLog;
using IotGateway.Connect.Plugins;
using IotGateway.Connect.Tasks;
using IotGateway.Host.Cli;
using IotGateway.Host.Rest;
using IotGateway.Host.Rest.Metrics;
using IotGateway.Log;

namespace IotGateway.Host.Hosting;

/// <summary>
/// The composition root: log, broker, worker and REST of one gateway, started in this order and stopped in the opposite one.
/// Several may live in one process. A log that fails for good ends <see cref="WaitAsync"/>.
/// </summary>
sealed partial class GatewayProcess : IAsyncDisposable
{
    readonly LoadedConfig _config;
    readonly string _dataFolder;
    readonly WebApplication? _web;
    readonly BrokerServer _broker;
    readonly ConfigWatcher _watcher;
    readonly ServiceProvider _meters;
    readonly ILogger _logger;
    readonly long _started = TimeProvider.System.GetTimestamp();
    readonly List<BackgroundService> _watches = [];
    RunFile? _runFile;
    bool _stopped;

    GatewayProcess(LoadedConfig config, string dataFolder, LogStore log, BrokerServer broker, Worker worker, WebApplication? web, ConfigWatcher watcher, ServiceProvider meters, ILogger logger)
        => (_config, _dataFolder, Log, _broker, Worker, _web, _watcher, _meters, _logger) = (config, dataFolder, log, broker, worker, web, watcher, meters, logger);

    /// <summary>The log.</summary>
    public LogStore Log { get; }

    /// <summary>The connectors.</summary>
    public Worker Worker { get; }

    /// <summary>Kafka bootstrap address for this machine, with the port as bound.</summary>
    public string Broker => _broker.Endpoints[0] switch
    {
        { Address: var address } any when address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) => $"127.0.0.1:{any.Port}",
        var bound => bound.ToString(),
    };

    /// <summary>REST address as bound; null when it is switched off.</summary>
    public string? Rest => _web?.Urls.FirstOrDefault()?.Replace("http://", "", StringComparison.Ordinal);

    /// <summary>Starts everything. What fails is undone before the exception leaves.</summary>
    /// <exception cref="CliException">Something a user can mend: a port or the data folder is taken.</exception>
    public static async Task<GatewayProcess> StartAsync(LoadedConfig config, PluginCatalog plugins, string dataFolder, ILoggerFactory loggers, CancellationToken ct)
    {
        var time = TimeProvider.System;
        var logger = loggers.CreateLogger<GatewayProcess>();
        var undo = new Stack<IAsyncDisposable>();
        try
        {
            Directory.CreateDirectory(dataFolder);
            var store = await LogStore.OpenAsync(Settings.Log(config.Gateway, dataFolder), loggers.CreateLogger("IotGateway.Log"), time, ct).ConfigureAwait(false);
            undo.Push(store);
            var meters = new ServiceCollection().AddMetrics().AddSingleton<MetricsPage>().BuildServiceProvider();
            undo.Push(meters);
            var meterFactory = meters.GetRequiredService<IMeterFactory>();
            // Listens before the meters are made: the first measurement counts.
            var page = config.Gateway.Rest.Enabled ? meters.GetRequiredService<MetricsPage>() : null;
            LogMeter.Make(meterFactory, store);
            var broker = await BrokerServer.StartAsync(Settings.Broker(config.Gateway, config.Folder, dataFolder), store, loggers, time, meterFactory, ct).ConfigureAwait(false);
            undo.Push(broker);
            var options = new WorkerOptions { InstallId = InstallId.Read(dataFolder, logger), ClockSynchronised = ClockSync.IsSynchronised };
            var events = new EmbeddedEventLog(store, config.Gateway, loggers.CreateLogger<EmbeddedEventLog>());
            var worker = new Worker(options, events, loggers, time, meterFactory);
            undo.Push(worker);
            var web = config.Gateway.Rest.Enabled ? RestServer.Make(config.Gateway.Rest, loggers) : null;
            if (web is not null) undo.Push(web);
            var watcher = new ConfigWatcher(config, dataFolder, plugins, worker, events, broker, time, loggers.CreateLogger<ConfigWatcher>());
            var gateway = new GatewayProcess(config, dataFolder, store, broker, worker, web, watcher, meters, logger);
            if (web is not null)
            {
                GatewayApi.Map(web, gateway, page!);
                await RestServer.StartAsync(web, config.Gateway.Rest, ct).ConfigureAwait(false);
            }
            await worker.StartAsync(config, ct).ConfigureAwait(false);
            await watcher.StartAsync(ct).ConfigureAwait(false);
            gateway._watches.Add(new SpaceWatch(() => store.Accepting, dataFolder, time, loggers.CreateLogger<SpaceWatch>()));
            gateway._watches.Add(new DiskWatch(() => store.Figures.CommitUnderWay, dataFolder, time, loggers.CreateLogger<DiskWatch>()));
            foreach (var watch in gateway._watches) await watch.StartAsync(ct).ConfigureAwait(false);
            gateway._runFile = new RunFile(Environment.ProcessId, gateway.Broker, gateway.Rest);
            gateway._runFile.Write(config.Folder);
            Events.Started(logger, config.Gateway.Name, gateway.Broker, gateway.Rest ?? "off", dataFolder, config.Connectors.Count(c => c.Common.Enabled));
            return gateway;
        }
        catch (Exception)
        {
            while (undo.TryPop(out var part)) await part.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Waits for the end: true when it was asked for, false when the log failed.</summary>
    public async Task<bool> WaitAsync(CancellationToken ct)
    {
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = ct.Register(asked.SetResult).ConfigureAwait(false);
        if (await Task.WhenAny(asked.Task, Log.Failed).ConfigureAwait(false) == asked.Task) return true;
        Events.LogFailed(_logger, await Log.Failed.ConfigureAwait(false));
        return false;
    }

    /// <summary>Stops everything, within about ten seconds. Idempotent.</summary>
    public async Task StopAsync()
    {
        if (_stopped) return;
        _stopped = true;
        await _watcher.StopAsync(CancellationToken.None).ConfigureAwait(false);
        _watcher.Dispose();
        foreach (var watch in _watches)
        {
            await watch.StopAsync(CancellationToken.None).ConfigureAwait(false);
            watch.Dispose();
        }
        await Worker.DisposeAsync().ConfigureAwait(false);
        if (_web is not null) await _web.DisposeAsync().ConfigureAwait(false);
        await _broker.DisposeAsync().ConfigureAwait(false);
        await Log.DisposeAsync().ConfigureAwait(false);
        await _meters.DisposeAsync().ConfigureAwait(false);
        _runFile?.Remove(_config.Folder);
        Events.Stopped(_logger, _config.Gateway.Name);
    }

    /// <summary>How everything is, for REST and CLI.</summary>
    public JsonObject Status()
    {
        var figures = Log.Figures;
        return new JsonObject
        {
            ["gateway"] = _config.Gateway.Name,
            ["version"] = typeof(GatewayProcess).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0],
            ["uptime"] = TimeProvider.System.GetElapsedTime(_started).ToString(@"d\.hh\:mm\:ss", CultureInfo.InvariantCulture),
            ["broker"] = Broker,
            ["rest"] = Rest,
            ["killed"] = Worker.Commands.Killed,
            ["log"] = new JsonObject
            {
                ["directory"] = _dataFolder,
                ["accepting"] = Log.Accepting,
                ["topics"] = Log.Topics.Count,
                ["diskBytes"] = figures.DiskBytes,
                ["appendedBytes"] = figures.AppendedBytes,
                ["units"] = figures.Units,
                ["syncs"] = figures.Syncs,
                ["syncSeconds"] = figures.SyncTime.TotalSeconds,
                ["commitSeconds"] = Math.Round(figures.CommitUnderWay.TotalSeconds, 3),
                ["checkpoints"] = figures.Checkpoints,
                ["freeBytes"] = figures.FreeBytes,
                ["scrubProgress"] = Math.Round(figures.ScrubProgress, 3),
                ["quarantinedBytes"] = figures.QuarantinedBytes,
            },
            ["connectors"] = new JsonArray([.. Worker.Snapshot().Select(StatusJson.Of)]),
        };
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await StopAsync().ConfigureAwait(false);

    static partial class Events
    {
        [LoggerMessage(LogLevel.Information, "Gateway '{Name}' runs: Kafka on {Broker}, REST on {Rest}, data in {Data}, {Connectors} connector(s).")]
        public static partial void Started(ILogger logger, string name, string broker, string rest, string data, int connectors);

        [LoggerMessage(LogLevel.Information, "Gateway '{Name}' has stopped.")]
        public static partial void Stopped(ILogger logger, string name);

        [LoggerMessage(LogLevel.Critical, "The log has failed; the gateway stops. What was acknowledged is on disk and is recovered at the next start.")]
        public static partial void LogFailed(ILogger logger, Exception cause);
    }
}
