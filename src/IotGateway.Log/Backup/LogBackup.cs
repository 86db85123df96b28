using System.Text.Json;
using IotGateway.Log.Disk;
using IotGateway.Log.Records;
using IotGateway.Log.Recovery;
using IotGateway.Log.Tables;
using IotGateway.Log.Topics;
using Microsoft.Extensions.Logging;

namespace IotGateway.Log.Backup;

/// <summary>
/// Backups of a log: a folder with the files of a data folder as of one frame, and <see cref="BackupManifest"/>, written last. A restore writes into an empty
/// folder, which is no log until all of it is on disk, and gives the log a new identity: another cluster id and, in every partition, another leader
/// epoch, so that clients notice. Producers' sequences, transactions, groups and all other state are kept.
/// </summary>
public static class LogBackup
{
    /// <summary>File that says that a restore is not finished; the log does not open while it is there.</summary>
    internal const string Unfinished = "restoring";

    /// <summary>Writes a backup of a stopped log; what a crash has left is recovered first.</summary>
    /// <exception cref="LogLockedException">A gateway runs on it.</exception>
    public static async Task<BackupManifest> WriteAsync(string directory, string target, ILogger logger, TimeProvider time, CancellationToken ct)
    {
        var log = await LogStore.OpenAsync(LogOptions.Stopped(directory, new LinuxDisk()), logger, time, ct).ConfigureAwait(false);
        await using (log.ConfigureAwait(false)) return await log.BackupAsync(target, ct).ConfigureAwait(false);
    }

    /// <summary>Writes the backup in <paramref name="backup"/> into <paramref name="directory"/>, which must be missing or empty.</summary>
    /// <exception cref="LogFormatException">It is no whole backup, or a newer version's, or the folder is not empty.</exception>
    public static Task<BackupManifest> RestoreAsync(string backup, string directory, CancellationToken ct)
        => Task.Run(() => Restore(backup, directory, new LinuxDisk(), ct), ct);

    internal static BackupManifest Restore(string backup, string directory, IDisk disk, CancellationToken ct)
    {
        var (manifest, body) = Read(backup, disk);
        if (disk.Files(directory).Count + disk.Directories(directory).Count > 0)
            throw new LogFormatException($"'{directory}' is not empty: a backup is restored into a folder of its own. Nothing was changed.");
        disk.CreateDirectory(directory);
        var mark = Path.Combine(directory, Unfinished);
        using (var file = disk.Open(mark, create: true)) file.Sync();
        disk.SyncDirectory(directory);

        using var files = new FileCache(disk, 4);
        var (topics, tables) = (Catalog.Offline(directory, disk, files), new TableSet());
        var state = StateBody.Read(body, topics, tables);
        foreach (var partition in topics.Published.SelectMany(t => t.Partitions))
        {
            LogCopy.Copy(disk, partition.Files.Segments, Path.Combine(backup, Path.GetFileName(partition.Files.Directory)), partition.Files.Directory, ct);
            partition.BumpEpoch(++partition.Tail.Epoch, partition.Tail.NextOffset);
        }
        disk.CreateDirectory(Path.Combine(directory, "wal"));
        disk.SyncAll(directory);
        StateFile.Replace(disk, directory, StateBody.Write(Guid.NewGuid(), state.StartCount, state.Sequence, StateBody.WriteTails(topics, clean: true), topics, tables));
        disk.Delete(mark);
        disk.SyncDirectory(directory);
        return manifest;
    }

    internal static (BackupManifest, byte[] Body) Read(string backup, IDisk disk)
    {
        var path = Path.Combine(backup, BackupManifest.Name);
        var broken = new LogFormatException($"'{backup}' is no whole backup: it has no valid {BackupManifest.Name}, which is written last. Make another one.");
        if (!disk.Exists(path)) throw broken;
        byte[] bytes;
        using (var file = disk.Open(path, create: false))
        {
            bytes = new byte[Math.Min(file.Length, 1 << 16)];
            file.Read(bytes, 0);
        }
        BackupManifest? manifest;
        try
        {
            manifest = JsonSerializer.Deserialize(bytes, BackupJson.Default.BackupManifest);
        }
        catch (JsonException)
        {
            throw broken;
        }
        if (manifest is null) throw broken;
        if (manifest.Format != 1) throw new LogFormatException($"'{path}' has format {manifest.Format}; this program reads 1. Use the version that wrote it.");
        var body = StateFile.Read(disk, backup);
        return body is not null && Crc32C.Of(body) == manifest.StateChecksum ? (manifest, body) : throw broken;
    }

    /// <summary>Writes the files that <paramref name="staging"/> holds, as of a state, and the manifest.</summary>
    internal static BackupManifest Write(IDisk disk, string staging, string target, byte[] body, DateTimeOffset now, CancellationToken ct)
    {
        using var files = new FileCache(disk, 4);
        var topics = Catalog.Offline(staging, disk, files);
        var state = StateBody.Read(body, topics, new());
        var (segments, bytes) = (0, 0L);
        foreach (var partition in topics.Published.SelectMany(t => t.Partitions))
        {
            bytes += LogCopy.Copy(disk, partition.Files.Segments, partition.Files.Directory, Path.Combine(target, Path.GetFileName(partition.Files.Directory)), ct);
            segments += partition.Files.Segments.Length;
        }
        StateFile.Replace(disk, target, body);
        disk.SyncAll(target);
        var manifest = new BackupManifest(1, state.Id, now, state.Sequence, topics.Published.Count, segments, bytes, Crc32C.Of(body));
        var beside = Path.Combine(target, BackupManifest.Name + ".new");
        using (var file = disk.Open(beside, create: true))
        {
            file.Write(JsonSerializer.SerializeToUtf8Bytes(manifest, BackupJson.Default.BackupManifest), 0);
            file.Sync();
        }
        disk.Rename(beside, Path.Combine(target, BackupManifest.Name));
        disk.SyncDirectory(target);
        return manifest;
    }
}
