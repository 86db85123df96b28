using IotGateway.Log.Backup;
using IotGateway.Log.Disk;
using IotGateway.Log.Inspection;
using IotGateway.Log.Tests.Disk;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Tests;

/// <summary>A backup is the log as of one moment; a restore is another log with the same records. Neither looks whole when it was cut short.</summary>
public sealed class BackupTests
{
    [Fact]
    public async Task A_backup_of_a_running_log_has_all_as_of_one_moment_and_a_restore_is_another_log()
    {
        var disk = new SimulatedDisk();
        await using var log = await OpenAsync(disk, "/data");
        var partition = await TopicAsync(log);
        await WriteAsync(log, partition, 0, 60);
        using var stop = new CancellationTokenSource();
        var written = 60;
        var writing = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested) await WriteAsync(log, partition, written, ++written);
        });
        var manifest = await log.BackupAsync("/backup", default);
        await stop.CancelAsync();
        await writing;
        // What goes afterwards is not gone from it.
        await partition.DeleteRecordsAsync(-1, default);
        Assert.False(disk.Exists("/data/backup-staging"));

        LogBackup.Restore("/backup", "/restored", disk, default);
        Assert.Empty(LogInspector.Verify("/restored", disk, default).Findings);
        await using var restored = await OpenAsync(disk, "/restored");
        var copy = restored.Find("t")!.Partitions[0];
        Assert.Equal(log.Id, manifest.Log);
        Assert.NotEqual(log.Id, restored.Id);
        Assert.Equal(1, copy.LeaderEpoch);
        var end = copy.HighWatermark;
        Assert.InRange(end, 60, written);
        Assert.Equal(Enumerable.Range(0, (int)end).Select(i => (long)i), (await copy.RecordsAsync()).ConvertAll(r => r.Offset));
        // The table is of the same frame as the records, and so is the producer's state: the next sequence, and only that, is taken.
        Assert.Equal(end - 1, BitConverter.ToInt32(restored.Get("table", "key"u8)!.Value.Span));
        var unit = new LogUnit();
        unit.Append(copy, Batches.Idempotent(5, 0, (int)end + 1, "too far"));
        Assert.Equal(AppendError.OutOfOrderSequence, (await restored.CommitAsync(unit, default))[0].Error);
        await WriteAsync(restored, copy, (int)end, (int)end + 10);
        Assert.Equal(end + 10, (await copy.RecordsAsync()).Count);
    }

    [Fact]
    public async Task A_backup_or_restore_that_was_cut_short_does_not_look_whole()
    {
        var start = new SimulatedDisk();
        await using (var log = await OpenAsync(start, "/data")) await WriteAsync(log, await TopicAsync(log), 0, 30);
        var (cuts, whole) = (0, 0);
        for (; whole == 0; cuts++)
        {
            var disk = start.Crash(new Random(cuts));
            var log = await OpenAsync(disk, "/data");
            disk.PowerOffAt = disk.Operations + 1 + cuts * 5;
            var finished = true;
            try
            {
                await log.BackupAsync("/backup", default);
                LogBackup.Restore("/backup", "/restored", disk, default);
            }
            catch (Exception e) when (e is DiskException or LogFailedException)
            {
                finished = false;
            }
            await log.DisposeAsync();
            var after = disk.Crash(new Random(cuts));
            try
            {
                LogBackup.Restore("/backup", "/again", after, default);
                await using var again = await OpenAsync(after, "/again");
                Assert.Equal(30, (await again.Find("t")!.Partitions[0].RecordsAsync()).Count);
                if (finished) whole++;
            }
            catch (LogFormatException)
            {
                Assert.False(finished);
            }
            if (after.Files("/restored").Count == 0) continue;
            try
            {
                await using var restored = await OpenAsync(after, "/restored");
                Assert.Equal(30, (await restored.Find("t")!.Partitions[0].RecordsAsync()).Count);
            }
            catch (LogFormatException)
            {
                Assert.False(finished);
            }
            // The log itself has come through it.
            await using var original = await OpenAsync(after, "/data");
            Assert.Equal(30, (await original.Find("t")!.Partitions[0].RecordsAsync()).Count);
            Assert.False(after.Exists("/data/backup-staging"));
        }
        Assert.InRange(cuts, 5, 1000);
    }

    [Fact]
    public async Task Copies_nothing_rotten_and_writes_into_no_folder_that_has_something()
    {
        var disk = new SimulatedDisk();
        await using var log = await OpenAsync(disk, "/data");
        var partition = await TopicAsync(log);
        await WriteAsync(log, partition, 0, 60);
        await log.BackupAsync("/backup", default);
        await Assert.ThrowsAsync<ArgumentException>(async () => await log.BackupAsync("/backup", default));
        await Assert.ThrowsAsync<ArgumentException>(async () => await log.BackupAsync("/data/backup", default));
        Assert.Throws<LogFormatException>(() => LogBackup.Restore("/backup", "/data", disk, default));
        disk.Content(partition.Files.Segments[0].LogPath).Bytes[3] ^= 1;
        await Assert.ThrowsAsync<LogSpoiltException>(async () => await log.BackupAsync("/other", default));
        Assert.Throws<LogFormatException>(() => LogBackup.Restore("/other", "/restored", disk, default));
    }

    static async Task<Partition> TopicAsync(LogStore log)
        => (await log.CreateTopicAsync("t", 1, new() { Settings = new Dictionary<string, string> { ["segment.bytes"] = "2000", ["retention.ms"] = "-1" } }, default)).Partitions[0];

    static async Task WriteAsync(LogStore log, Partition partition, int from, int to)
    {
        for (var i = from; i < to; i++)
        {
            var unit = new LogUnit();
            unit.Append(partition, Batches.Idempotent(5, 0, i, $"value {i} {new string('x', 100)}"));
            unit.Put("table", "key"u8.ToArray(), BitConverter.GetBytes(i));
            Assert.Equal(AppendError.None, (await log.CommitAsync(unit, default))[0].Error);
        }
    }

    static Task<LogStore> OpenAsync(SimulatedDisk disk, string directory)
        => LogStore.OpenAsync(new() { Directory = directory, WalBytes = 512 << 10 }, NullLogger.Instance, TimeProvider.System, disk, default);
}
