using System.CommandLine;
using System.Net.Http.Json;
using System.Text.Json;
using IotGateway.Host.Hosting;
using IotGateway.Log;
using IotGateway.Log.Backup;

namespace IotGateway.Host.Cli;

/// <summary>
/// <c>log backup DIR</c>: a copy of the whole log as of one moment; by the gateway itself while it runs, else by this process, which holds the log meanwhile.
/// <c>log restore DIR</c>: a new data folder from it, with an identity of its own. Exit 0 when all is on disk.
/// </summary>
static class LogBackupCommands
{
    static readonly TimeSpan Longest = TimeSpan.FromHours(12);

    public static Command Backup()
    {
        var target = new Argument<DirectoryInfo>("dir") { Description = "Folder for the backup; missing or empty. Best on another disk." };
        var (data, config, rest, json) = (CommonOptions.Data(), CommonOptions.Config(), CommonOptions.Rest(), CommonOptions.Json());
        var command = new Command("backup", "Copies the log as of one moment, of a running or a stopped gateway.") { target, data, config, rest, json };
        command.SetAction((r, ct) => GatewayCli.GuardAsync(async () =>
        {
            var (folder, to) = (r.GetValue(data)!.FullName, r.GetValue(target)!.FullName);
            var manifest = await StoppedAsync(folder, to, ct).ConfigureAwait(false)
                ?? await RunningAsync(Addresses.Rest(r.GetValue(rest), r.GetValue(config)!), to, ct).ConfigureAwait(false);
            Show(manifest, r.GetValue(json), $"Backup in '{to}'");
            return ExitCode.Done;
        }));
        return command;
    }

    public static Command Restore()
    {
        var source = new Argument<DirectoryInfo>("dir") { Description = "Folder of the backup." };
        var (data, json) = (CommonOptions.Data(), CommonOptions.Json());
        var command = new Command("restore", "Makes a new data folder from a backup. The log gets a new identity: clients see another cluster.") { source, data, json };
        command.SetAction((r, ct) => GatewayCli.GuardAsync(async () =>
        {
            var manifest = await LogBackup.RestoreAsync(r.GetValue(source)!.FullName, r.GetValue(data)!.FullName, ct).ConfigureAwait(false);
            Show(manifest, r.GetValue(json), $"Restored into '{r.GetValue(data)!.FullName}'");
            return ExitCode.Done;
        }));
        return command;
    }

    // Null when a gateway runs on the folder.
    static async Task<BackupManifest?> StoppedAsync(string folder, string target, CancellationToken ct)
    {
        if (!IotGateway.Log.Inspection.LogInspector.HoldsLog(folder))
            throw new CliException($"There is no log in '{folder}'. Name the data folder of a gateway with --data.", ExitCode.Usage);
        using var loggers = GatewayLogging.Make(json: false, LogLevel.Warning);
        try
        {
            return await LogBackup.WriteAsync(folder, target, loggers.CreateLogger("IotGateway.Log"), TimeProvider.System, ct).ConfigureAwait(false);
        }
        catch (LogLockedException)
        {
            return null;
        }
        catch (ArgumentException e)
        {
            throw new CliException(e.Message, ExitCode.Usage);
        }
    }

    static async Task<BackupManifest> RunningAsync(Uri rest, string target, CancellationToken ct)
    {
        using var http = new HttpClient { BaseAddress = rest, Timeout = Longest };
        try
        {
            using var answer = await http.PostAsJsonAsync("/api/log/backup", new { directory = target }, ct).ConfigureAwait(false);
            if (answer.IsSuccessStatusCode) return await answer.Content.ReadFromJsonAsync<BackupManifest>(JsonSerializerOptions.Web, ct).ConfigureAwait(false) ?? throw new CliException("The gateway's answer is empty.");
            throw new CliException($"The gateway made no backup: {await answer.Content.ReadAsStringAsync(ct).ConfigureAwait(false)}");
        }
        catch (HttpRequestException e)
        {
            throw new CliException($"A gateway runs on the data folder, but none answers at {rest}: {e.Message} Name its REST address with --rest.");
        }
    }

    static void Show(BackupManifest manifest, bool json, string what)
        => Console.WriteLine(json ? JsonSerializer.Serialize(manifest, JsonSerializerOptions.Web)
            : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{what}: {manifest.Topics} topics, {manifest.Segments} segments, {manifest.Bytes / 1048576.0:F1} MiB, as of {manifest.At:u}."));
}
