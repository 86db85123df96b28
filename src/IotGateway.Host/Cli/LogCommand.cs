using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using IotGateway.Log;
using IotGateway.Log.Inspection;

namespace IotGateway.Host.Cli;

/// <summary>
/// <c>log verify</c>: reads every segment, index, checksum and write-ahead file of a data folder and says what is wrong; changes nothing. Of a stopped or of
/// a running gateway. <c>log repair</c>: sets aside what is rotten in a stopped one, and makes again what can be. Exit 0 nothing wrong (any more),
/// 1 findings, 2 wrong usage.
/// </summary>
static class LogCommand
{
    public static Command Make() => new("log", "Looks after the log of a data folder.") { Verify(), Repair(), LogExportCommand.Make(), LogBackupCommands.Backup(), LogBackupCommands.Restore() };

    static Command Verify()
    {
        var (data, json) = (CommonOptions.Data(), CommonOptions.Json());
        var command = new Command("verify", "Checks every segment, index and write-ahead file; changes nothing.") { data, json };
        command.SetAction((r, ct) => GatewayCli.GuardAsync(() => VerifyAsync(r.GetValue(data)!.FullName, r.GetValue(json), ct)));
        return command;
    }

    static Command Repair()
    {
        var (data, json) = (CommonOptions.Data(), CommonOptions.Json());
        var dryRun = new Option<bool>("--dry-run") { Description = "Only say what would be done." };
        var command = new Command("repair", "Repairs the log of a stopped gateway: sets rotten ranges aside, makes indexes, checksums and a lost state file again.") { data, dryRun, json };
        command.SetAction((r, ct) => GatewayCli.GuardAsync(() => RepairAsync(r.GetValue(data)!.FullName, r.GetValue(dryRun), r.GetValue(json), ct)));
        return command;
    }

    static async Task<int> RepairAsync(string folder, bool dryRun, bool json, CancellationToken ct)
    {
        if (!Directory.Exists(Path.Combine(folder, "wal")) && !LogInspector.HoldsLog(folder))
            throw new CliException($"There is no log in '{folder}'. Name the data folder of a gateway with --data.", ExitCode.Usage);
        using var loggers = Hosting.GatewayLogging.Make(json: false, LogLevel.None);
        var report = await LogRepair.RunAsync(folder, dryRun, loggers.CreateLogger("IotGateway.Log"), TimeProvider.System, ct).ConfigureAwait(false);
        if (json) Console.WriteLine(JsonSerializer.Serialize(report, JsonSerializerOptions.Web));
        else
        {
            foreach (var action in report.Actions) Console.WriteLine(action);
            if (report.Actions.Count == 0) Console.WriteLine("Nothing to repair.");
            else if (dryRun) Console.WriteLine("Nothing was changed (--dry-run).");
        }
        return report.Unmended == 0 && !(dryRun && report.Actions.Count > 0) ? ExitCode.Done : ExitCode.Failed;
    }

    static async Task<int> VerifyAsync(string folder, bool json, CancellationToken ct)
    {
        if (!LogInspector.HoldsLog(folder))
            throw new CliException($"There is no log in '{folder}'. Name the data folder of a gateway with --data.", ExitCode.Usage);
        LogReport report;
        try
        {
            report = await LogInspector.VerifyAsync(folder, ct).ConfigureAwait(false);
        }
        catch (LogFormatException e)
        {
            report = new(0, 0, 0, 0, 0, [new(folder, -1, e.Message)]);
        }
        if (json) Console.WriteLine(JsonSerializer.Serialize(report, JsonSerializerOptions.Web));
        else Show(folder, report);
        return report.Findings.Count == 0 ? ExitCode.Done : ExitCode.Failed;
    }

    static void Show(string folder, LogReport report)
    {
        foreach (var finding in report.Findings)
            Console.WriteLine(finding.Position < 0 ? $"{finding.Path}: {finding.Problem}" : $"{finding.Path} at {finding.Position}: {finding.Problem}");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{folder}: {report.Topics} topics, {report.Segments} segments, {report.Batches} batches ({report.Bytes / 1048576.0:F1} MiB) read, "
            + $"{report.PendingFrames} frames waiting in the write-ahead log; {(report.Findings.Count == 0 ? "nothing wrong found" : $"{report.Findings.Count} findings")}."));
    }
}
