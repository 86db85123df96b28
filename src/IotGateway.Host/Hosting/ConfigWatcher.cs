using IotGateway.Broker;
using IotGateway.Connect.Configs;
using IotGateway.Connect.EventLog;
using IotGateway.Connect.Plugins;
using IotGateway.Connect.Tasks;

namespace IotGateway.Host.Hosting;

/// <summary>
/// Looks at the configuration folder every two seconds (bind mounts and network folders send no events), and puts a changed,
/// valid configuration in force once the files have been still for one look: connectors, and of gateway.json what <see cref="GatewayChanges"/> does not leave for
/// the next start. A bad one changes nothing and is reported once.
/// </summary>
sealed partial class ConfigWatcher(LoadedConfig started, string dataFolder, PluginCatalog plugins, Worker worker, EmbeddedEventLog events, BrokerServer broker, TimeProvider time, ILogger<ConfigWatcher> logger) : BackgroundService
{
    static readonly TimeSpan Look = TimeSpan.FromSeconds(2);
    readonly string _folder = started.Folder;
    string? _unreadable; // said once
    string _waiting = ""; // for a start; said once

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        string applied = Stamp(), seen = applied;
        await RuleTopicsAsync(stoppingToken).ConfigureAwait(false);
        using var timer = new PeriodicTimer(Look, time);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            var now = Stamp();
            if (now == applied) continue;
            if (now != seen) { seen = now; continue; } // still being written
            applied = now;
            try
            {
                await ApplyAsync(stoppingToken).ConfigureAwait(false);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                Log.NotApplied(logger, e); // the next change is looked at all the same
            }
        }
    }

    async Task ApplyAsync(CancellationToken ct)
    {
        var next = ConfigFolder.Load(_folder, plugins);
        if (next.HasErrors)
        {
            Log.Rejected(logger, Environment.NewLine + string.Join(Environment.NewLine, next.Problems));
            return;
        }
        var waiting = string.Join(", ", GatewayChanges.ForRestart(started.GatewayText, next.GatewayText));
        if (waiting != _waiting && waiting.Length > 0) Log.NeedsRestart(logger, waiting);
        _waiting = waiting;
        await broker.ReconfigureAsync(Settings.Broker(next.Gateway, next.Folder, dataFolder), ct).ConfigureAwait(false);
        await events.ReconfigureAsync(next.Gateway, ct).ConfigureAwait(false);
        var diff = await worker.ApplyAsync(next, ct).ConfigureAwait(false);
        Log.Applied(logger, diff.Added.Count, diff.Changed.Count, diff.Removed.Count);
    }

    /// <summary>Rules that were changed while the gateway was down.</summary>
    async Task RuleTopicsAsync(CancellationToken ct)
    {
        try
        {
            await events.ReconfigureAsync(started.Gateway, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            Log.NotApplied(logger, e); // a full disk: the gateway runs all the same
        }
    }

    // All files: connector files name tables and secrets of any ending. What means the same as before changes nothing.
    string Stamp()
    {
        try
        {
            _unreadable = null;
            return string.Join('\n', new DirectoryInfo(_folder).EnumerateFiles("*", SearchOption.AllDirectories)
                .Where(f => f.Directory!.Name != "schema").OrderBy(f => f.FullName, StringComparer.Ordinal)
                .Select(f => $"{f.FullName} {f.Length} {f.LastWriteTimeUtc.Ticks}"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (_unreadable != e.Message) Log.Unreadable(logger, _folder, _unreadable = e.Message);
            return "";
        }
    }

    static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Configuration applied: {Added} connector(s) added, {Changed} changed, {Removed} removed.")]
        public static partial void Applied(ILogger logger, int added, int changed, int removed);

        [LoggerMessage(LogLevel.Error, "The changed configuration is not valid; the old one stays in force.{Problems}")]
        public static partial void Rejected(ILogger logger, string problems);

        [LoggerMessage(LogLevel.Warning, "gateway.json has changed in {Keys}, which only a start reads: restart the gateway to use that. Everything else is applied now.")]
        public static partial void NeedsRestart(ILogger logger, string keys);

        [LoggerMessage(LogLevel.Error, "The changed configuration could not be put in force as a whole; change a file to try again.")]
        public static partial void NotApplied(ILogger logger, Exception error);

        [LoggerMessage(LogLevel.Warning, "The configuration folder {Folder} could not be read: {Reason}")]
        public static partial void Unreadable(ILogger logger, string folder, string reason);
    }
}
