using System.CommandLine;
using System.Text.Json.Nodes;
using IotGateway.Connect.Configs;
using IotGateway.Connect.Tasks;
using IotGateway.Host.Demo;
using IotGateway.Host.Hosting;

namespace IotGateway.Host.Cli;

/// <summary><c>demo</c>: a simulated press line over real Modbus TCP and files, live events, one command confirmed and one refused.</summary>
static class DemoCommand
{
    public static Command Make()
    {
        var seconds = new Option<int?>("--seconds") { Description = "Stop after so long; default: until Ctrl-C." };
        var parent = new Option<DirectoryInfo>("--dir") { Description = "Where the demo's own folder is made.", DefaultValueFactory = _ => new("data") };
        var command = new Command("demo", "Runs a simulated press line through the whole gateway; needs nothing else installed.") { seconds, parent };
        command.SetAction((r, ct) => GatewayCli.GuardAsync(() => RunAsync(r.GetValue(parent)!.FullName, r.GetValue(seconds), ct), interrupted: ExitCode.Done));
        return command;
    }

    static async Task<int> RunAsync(string parent, int? seconds, CancellationToken ct)
    {
        var time = TimeProvider.System;
        var started = time.GetTimestamp();
        var folder = DemoFolder.Make(parent, time.GetUtcNow());
        using var loggers = GatewayLogging.Make(json: false, LogLevel.Warning);
        var plugins = PluginFolder.Load(loggers.CreateLogger("IotGateway.Plugins"));
        var loaded = ConfigFolder.Load(folder.Config, plugins);
        if (loaded.HasErrors)
        {
            ValidateCommand.Report(loaded, Console.Error);
            throw new CliException("The demo's configuration is not valid; are the plugins built?");
        }
        // The machine is there before the gateway looks for it, as on a shop floor.
        var machine = loaded with { Connectors = [.. loaded.Connectors.Where(c => c.Plugin.Info.Name == "simulator")] };
        var gateway = await GatewayProcess.StartAsync(machine, plugins, folder.Data, loggers, ct).ConfigureAwait(false);
        await using var closing = gateway.ConfigureAwait(false);
        while (gateway.Worker.Snapshot().Any(c => c.State == RunState.Connecting)) await Task.Delay(TimeSpan.FromMilliseconds(20), time, ct).ConfigureAwait(false);
        await gateway.Worker.ApplyAsync(loaded, ct).ConfigureAwait(false);
        Console.WriteLine($"A press line is simulated; its Modbus registers and its log file go through the gateway, and this is what a Kafka client on {gateway.Broker} sees:");

        using var end = CancellationTokenSource.CreateLinkedTokenSource(ct);
        if (seconds is { } limit) end.CancelAfter(TimeSpan.FromSeconds(limit) - time.GetElapsedTime(started));
        var viewer = new EventViewer(gateway.Broker, "press-line", "press-log");
        var viewing = viewer.RunAsync(end.Token);
        var commanding = CommandsAsync(gateway.Broker, TimeSpan.FromSeconds(Math.Clamp((seconds ?? 12) / 3, 1, 4)), end.Token);
        await Task.Delay(Timeout.InfiniteTimeSpan, time, end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await viewing.ConfigureAwait(false);
        var outcomes = await commanding.ConfigureAwait(false);
        return await SummaryAsync(gateway, folder, viewer, outcomes, started, seconds is not null).ConfigureAwait(false);
    }

    /// <summary>One command within limits, one out of range. Returns both outcomes; fewer when the demo was too short.</summary>
    static async Task<List<JsonObject>> CommandsAsync(string bootstrap, TimeSpan first, CancellationToken ct)
    {
        var outcomes = new List<JsonObject>();
        try
        {
            await Task.Delay(first, TimeProvider.System, ct).ConfigureAwait(false);
            foreach (var value in (string[])["72.5", "500"])
            {
                Console.WriteLine($"> ./gateway command press-line press1 setpoint {value}");
                var request = SendCommand.Request("demo", "press-line", "press1", "setpoint", value, null, TimeSpan.FromSeconds(20), dryRun: false);
                var outcome = await SendCommand.SendAsync(bootstrap, request, TimeSpan.FromSeconds(25), ct).ConfigureAwait(false);
                Console.WriteLine("< " + SendCommand.Describe(outcome));
                outcomes.Add(outcome);
            }
        }
        catch (OperationCanceledException)
        {
            Console.WriteLine("(stopped before both commands were answered)");
        }
        return outcomes;
    }

    static async Task<int> SummaryAsync(GatewayProcess gateway, DemoFolder folder, EventViewer viewer, List<JsonObject> outcomes, long started, bool mustBeWhole)
    {
        var elapsed = TimeProvider.System.GetElapsedTime(started);
        var topics = gateway.Log.Topics.OrderBy(t => t.Name, StringComparer.Ordinal)
            .Select(t => (t.Name, Records: t.Partitions.Sum(p => p.HighWatermark - p.LogStart), Bytes: t.Partitions.Sum(p => p.SizeBytes))).Where(t => t.Records > 0).ToList();
        await gateway.StopAsync().ConfigureAwait(false);
        Console.WriteLine();
        foreach (var (name, records, bytes) in topics) Console.WriteLine($"  {name,-20} {records,8:N0} records {bytes,10:N0} bytes");
        var total = topics.Sum(t => t.Records);
        var first = viewer.FirstAt is { } at ? $"{(at - started) / (double)TimeProvider.System.TimestampFrequency:F1} s after the start" : "never";
        Console.WriteLine($"{total:N0} records, {topics.Sum(t => t.Bytes):N0} bytes in {elapsed.TotalSeconds:F1} s ({total / elapsed.TotalSeconds:F0} records/s); first event seen {first}.");
        Console.WriteLine($"The data is in {folder.Data}. Look at it again with any Kafka client:");
        Console.WriteLine($"  ./gateway run --config {folder.Config} --data {folder.Data} &");
        Console.WriteLine($"  kcat -b {gateway.Broker} -C -t press-line -o beginning");
        if (!mustBeWhole) return ExitCode.Done;
        var whole = viewer.Readings > 0 && viewer.Lines > 0 && outcomes is [var a, var b] && (string?)a["status"] == "confirmed" && (string?)b["status"] == "refused";
        if (!whole) await Console.Error.WriteLineAsync($"The demo is not whole: {viewer.Readings} readings, {viewer.Lines} lines, outcomes {string.Join(", ", outcomes.Select(o => o["status"]))}.").ConfigureAwait(false);
        return whole ? ExitCode.Done : ExitCode.Failed;
    }
}
