using IotGateway.Log.Disk;
using IotGateway.Log.Recovery;
using IotGateway.Log.Topics;
using Microsoft.Extensions.Logging;

namespace IotGateway.Log.Inspection;

/// <summary>
/// Repairs a stopped log. A lost or damaged state file is made again: from the one before, when the write-ahead log has every frame since; else from the
/// segments and what the write-ahead log has. Then the log is opened as the gateway opens it, every segment is read, and what is rotten is set aside as the
/// running log does it. Nothing is deleted without a copy in the folder <c>quarantine</c>; cut short, it is to be run again.
/// </summary>
public static class LogRepair
{
    /// <exception cref="LogLockedException">A gateway runs on it.</exception>
    /// <exception cref="LogFormatException">A newer version's.</exception>
    public static Task<RepairReport> RunAsync(string directory, bool dryRun, ILogger logger, TimeProvider time, CancellationToken ct)
        => RunAsync(directory, dryRun, logger, time, new LinuxDisk(), ct);

    internal static async Task<RepairReport> RunAsync(string directory, bool dryRun, ILogger logger, TimeProvider time, IDisk disk, CancellationToken ct)
    {
        List<string> actions = [];
        var guessed = false;
        using (disk.TryLock(Path.Combine(directory, "lock")) ?? throw new LogLockedException(directory))
        {
            if (StateFault(directory, disk) is { } fault) guessed = await Task.Run(() => RepairState(directory, fault, dryRun, actions, disk, time.GetUtcNow().ToUnixTimeMilliseconds(), ct), ct).ConfigureAwait(false);
            if (dryRun)
            {
                if (actions.Count > 0) return new([.. actions, "Then every segment would be read, and what is rotten set aside."], 0);
                var found = LogInspector.Verify(directory, disk, ct).Findings;
                return new([.. found.Select(f => f.Position < 0 ? $"Would mend {f.Path}: {f.Problem}" : $"Would mend {f.Path} at {f.Position}: {f.Problem}")], 0);
            }
        }
        var log = await LogStore.OpenAsync(LogOptions.Stopped(directory, disk), logger, time, disk, ct).ConfigureAwait(false);
        await using (log.ConfigureAwait(false))
        {
            // Who has seen more than is left learns it by the epoch.
            if (guessed) await log.BumpEpochsAsync(ct).ConfigureAwait(false);
            var report = await log.ScrubAsync(ct).ConfigureAwait(false);
            actions.AddRange(log.Quarantined.Where(q => q.Topic is not null)
                .Select(q => $"{q.Topic}-{q.Partition}: offsets {q.FromOffset} up to {q.ToOffset} are lost; a copy of what was there is in '{Path.Combine(directory, "quarantine")}'. Readers pass them."));
            if (report.Damaged > report.Unmended) actions.Add($"{report.Damaged - report.Unmended} segment(s) were written anew, with indexes and checksums.");
            return new(actions, report.Unmended);
        }
    }

    static long LengthOf(IDisk disk, string path)
    {
        using var file = disk.Open(path, create: false);
        return file.Length;
    }

    static string? StateFault(string directory, IDisk disk)
    {
        try
        {
            var body = StateFile.Read(disk, directory);
            if (body is null) return "it is missing.";
            using var files = new FileCache(disk, 1);
            StateBody.Read(body, Catalog.Offline(directory, disk, files), new());
            return null;
        }
        catch (Exception e) when (e is InvalidDataException || (e is LogFormatException && !e.Message.Contains("format version", StringComparison.Ordinal)))
        {
            return e.Message;
        }
    }

    static bool RepairState(string directory, string fault, bool dryRun, List<string> actions, IDisk disk, long now, CancellationToken ct)
    {
        var path = Path.Combine(directory, StateFile.Name);
        actions.Add($"The state file cannot be used: {fault}");
        if (!dryRun && disk.Exists(path)) actions.Add($"A copy of it is kept: {new Quarantine(disk, directory).Keep(path, 0, LengthOf(disk, path))}.");
        var (body, said, guessed) = StateRebuilder.Rebuild(directory, disk, dryRun ? RebuildKind.Tell : RebuildKind.Write, now, ct);
        actions.AddRange(said);
        if (dryRun) return guessed;
        disk.Delete(path); // the previous one keeps its name
        StateFile.Replace(disk, directory, body);
        return guessed;
    }
}
