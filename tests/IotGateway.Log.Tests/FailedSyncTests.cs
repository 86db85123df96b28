using IotGateway.Log.Disk;
using IotGateway.Log.Tests.Disk;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Tests;

/// <summary>
/// Rule 5: after a failed sync the page cache looks right and the disk is not. Each test fails one operation, starts again without a power cut (the
/// page cache still lies), and only then cuts the power.
/// </summary>
public sealed class FailedSyncTests
{
    const string Log0 = "/data/t-0/00000000000000000000.log";

    [Theory]
    [InlineData("sync", ".log", 2)]
    [InlineData("sync", ".index", 2)]
    [InlineData("sync", ".timeindex", 2)]
    [InlineData("syncdir", "/data/t-0", 2)]
    [InlineData("syncdir", "/data", 2)]
    [InlineData("syncfs", "/data", 40)]
    [InlineData("write", "state.new", 2)]
    [InlineData("sync", "state.new", 2)]
    [InlineData("rename", "state.new", 2)]
    public async Task A_checkpoint_whose_sync_fails_keeps_the_write_ahead_log_and_loses_nothing(string operation, string file, int partitions)
    {
        var disk = new SimulatedDisk();
        await FailAsync(disk, partitions, operation, file);
        disk.Kill();
        await using (var log = await OpenAsync(disk)) await ExpectAsync(log, partitions);
        await using (var log = await OpenAsync(disk.Crash(new Random(1)))) await ExpectAsync(log, partitions);
    }

    [Fact]
    public async Task Records_shown_by_the_start_after_a_failed_segment_sync_outlive_a_power_cut_at_any_later_step()
    {
        for (var cut = 0; cut < 200; cut++)
        {
            var disk = new SimulatedDisk();
            await FailAsync(disk, 2, "sync", ".log");
            disk.Kill();
            disk.PowerOffAt = disk.Operations + cut;
            try
            {
                await using var log = await OpenAsync(disk);
            }
            catch (IOException) { }
            await using var after = await OpenAsync(disk.Crash(new Random(cut)));
            await ExpectAsync(after, 2);
        }
    }

    [Fact]
    public async Task After_a_failed_segment_sync_the_range_goes_into_a_new_file()
    {
        var disk = new SimulatedDisk();
        await FailAsync(disk, 2, "sync", ".log");
        Assert.Contains("suspect", disk.Files("/data"));
        var old = disk.Content(Log0);
        disk.Kill();
        await using var log = await OpenAsync(disk);
        Assert.NotSame(old, disk.Content(Log0));
        Assert.DoesNotContain("suspect", disk.Files("/data"));
        Assert.DoesNotContain(disk.Files("/data/t-0"), f => f.EndsWith(".renewed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_new_file_that_does_not_read_back_from_the_disk_is_not_trusted()
    {
        var disk = new SimulatedDisk();
        await FailAsync(disk, 2, "sync", ".log");
        disk.Kill();
        // The sync says it went well; only the disk itself knows better.
        disk.Drops = path => path.EndsWith(".log", StringComparison.Ordinal);
        var refusal = await Assert.ThrowsAsync<DiskException>(() => OpenAsync(disk));
        Assert.Contains("The write-ahead log is kept", refusal.Message, StringComparison.Ordinal);
        disk.Drops = _ => false;
        disk = disk.Crash(new Random(1));
        await using var log = await OpenAsync(disk);
        await ExpectAsync(log, 2);
    }

    [Fact]
    public async Task Frames_whose_sync_failed_are_not_taken_from_the_page_cache()
    {
        var disk = new SimulatedDisk();
        var log = await OpenAsync(disk);
        await log.CreateTopicAsync("t", 1, new(), default);
        await CommitAsync(log, 0, "safe");
        var failed = false;
        disk.Fault = (op, path) => !failed && op == "sync" && path.EndsWith("00.wal", StringComparison.Ordinal) && (failed = true) ? Eio(op, path) : null;
        await Assert.ThrowsAsync<LogFailedException>(() => CommitAsync(log, 0, "lost"));
        await log.DisposeAsync();
        disk.Kill();
        await using (log = await OpenAsync(disk))
        {
            Assert.Equal(["safe"], await log.Find("t")!.Partitions[0].ValuesAsync());
            await CommitAsync(log, 0, "next");
            Assert.Empty(log.Quarantined);
        }
        await using var after = await OpenAsync(disk.Crash(new Random(1)));
        Assert.Equal(["safe", "next"], await after.Find("t")!.Partitions[0].ValuesAsync());
    }

    [Fact]
    public async Task A_frame_that_was_only_in_the_page_cache_when_the_process_was_killed_is_durable_once_it_is_shown()
    {
        var disk = new SimulatedDisk();
        var log = await OpenAsync(disk);
        await log.CreateTopicAsync("t", 1, new(), default);
        await CommitAsync(log, 0, "safe");
        // The process is killed between the write of a frame and its sync.
        disk.Fault = (op, path) =>
        {
            if (op == "sync" && path.EndsWith("00.wal", StringComparison.Ordinal)) disk.PowerOffAt = 0;
            return null;
        };
        disk.PowerOffAt = long.MaxValue;
        await Assert.ThrowsAsync<LogFailedException>(() => CommitAsync(log, 0, "written"));
        await log.DisposeAsync();
        disk.Fault = (_, _) => null;
        disk.Kill();
        await using var again = await OpenAsync(disk);
        Assert.Equal(2, again.Find("t")!.Partitions[0].HighWatermark);
        for (var seed = 0; seed < 20; seed++)
        {
            await using var after = await OpenAsync(disk.Crash(new Random(seed)));
            Assert.Equal(2, after.Find("t")!.Partitions[0].HighWatermark);
            Assert.Empty(after.Quarantined);
        }
    }

    [Fact]
    public async Task A_state_file_whose_rename_may_not_be_durable_is_made_so_before_frames_behind_it_go()
    {
        var disk = new SimulatedDisk();
        var log = await OpenAsync(disk);
        await log.CreateTopicAsync("t", 1, new(), default);
        for (var i = 0; i < 3; i++) await CommitAsync(log, 0, $"value {i}");
        // The process is killed between the rename of the new state and the sync of the directory.
        var renamed = false;
        disk.Fault = (op, path) =>
        {
            if (renamed && op == "syncdir") disk.PowerOffAt = 0;
            renamed |= op == "rename" && path.EndsWith("state.new", StringComparison.Ordinal);
            return renamed && op == "syncdir" ? Eio(op, path) : null;
        };
        log.RequestCheckpoint();
        await log.Failed.WaitAsync(TimeSpan.FromSeconds(10));
        await log.DisposeAsync();
        disk.Fault = (_, _) => null;
        disk.Kill();
        await using var again = await OpenAsync(disk);
        await CommitAsync(again, 0, "value 3");
        for (var seed = 0; seed < 40; seed++)
        {
            await using var after = await OpenAsync(disk.Crash(new Random(seed)));
            Assert.Equal(4, after.Find("t")!.Partitions[0].HighWatermark);
            Assert.Empty(after.Quarantined);
        }
    }

    [Fact]
    public async Task Excess_behind_the_recovered_end_is_cut_and_a_copy_kept()
    {
        var disk = new SimulatedDisk();
        await using (var log = await OpenAsync(disk))
        {
            await log.CreateTopicAsync("t", 1, new(), default);
            await CommitAsync(log, 0, "value 0");
        }
        long end;
        using (var file = disk.Open(Log0, create: false))
        {
            end = file.Length;
            file.Write("this has no frame"u8, end);
        }
        await using (var log = await OpenAsync(disk))
        {
            await CommitAsync(log, 0, "value 1");
            Assert.Equal(["value 0", "value 1"], await log.Find("t")!.Partitions[0].ValuesAsync());
        }
        var copy = Assert.Single(disk.Files("/data/quarantine"));
        Assert.StartsWith($"t-0_00000000000000000000.log-{end}-", copy, StringComparison.Ordinal);
        Assert.Equal("this has no frame"u8, disk.Content("/data/quarantine/" + copy).Bytes);
    }

    [Fact]
    public async Task A_start_after_a_kill_cuts_nothing_that_its_frames_write_again()
    {
        var disk = new SimulatedDisk();
        // The frame that fails is cut; those before it had been put into the segments.
        await FailAsync(disk, 2, "sync", "00.wal", request: false);
        disk.Kill();
        await using var log = await OpenAsync(disk);
        await ExpectAsync(log, 2);
        Assert.Empty(disk.Files("/data/quarantine"));
    }

    [Fact]
    public async Task After_a_failed_sync_a_topic_that_was_deleted_and_made_anew_holds_up_no_start()
    {
        var disk = new SimulatedDisk();
        var log = await OpenAsync(disk);
        var old = await log.CreateTopicAsync("t", 1, new(), default);
        await CommitAsync(log, 0, new string('x', 5000));
        await log.DeleteTopicAsync(old.Id, default);
        await log.CreateTopicAsync("t", 1, new(), default);
        await CommitAsync(log, 0, "new");
        var failed = false;
        disk.Fault = (op, path) => !failed && op == "sync" && path == Log0 && (failed = true) ? Eio(op, path) : null;
        log.RequestCheckpoint();
        await log.Failed.WaitAsync(TimeSpan.FromSeconds(10));
        disk.Fault = (_, _) => null;
        await log.DisposeAsync();
        disk.Kill();
        // The frames of the old one are replayed too, into a file of the same name.
        await using var again = await OpenAsync(disk);
        Assert.Equal(["new"], await again.Find("t")!.Partitions[0].ValuesAsync());
    }

    [Fact]
    public async Task A_directory_that_a_killed_start_made_is_durable_before_anything_in_it_counts()
    {
        var disk = new SimulatedDisk();
        disk.Fault = (op, path) => op == "syncdir" && path == "/" ? Eio(op, path) : null;
        await Assert.ThrowsAnyAsync<IOException>(() => OpenAsync(disk));
        disk.Fault = (_, _) => null;
        disk.Kill();
        var log = await OpenAsync(disk);
        await log.CreateTopicAsync("t", 1, new(), default);
        await CommitAsync(log, 0, "safe");
        for (var cut = 0; cut < 10; cut++)
        {
            await using var after = await OpenAsync(disk.Crash(new Random(cut)));
            Assert.Equal(["safe"], await after.Find("t")!.Partitions[0].ValuesAsync());
        }
        await log.DisposeAsync();
    }

    // Three values per partition of which the first is checkpointed; then the operation fails during a checkpoint.
    static async Task FailAsync(SimulatedDisk disk, int partitions, string operation, string file, bool request = true)
    {
        var log = await OpenAsync(disk);
        await log.CreateTopicAsync("t", partitions, new() { Settings = new Dictionary<string, string> { ["segment.bytes"] = "400" } }, default);
        for (var i = 0; i < partitions; i++) await CommitAsync(log, i, "value 0");
        var checkpoints = log.Figures.Checkpoints;
        log.RequestCheckpoint();
        for (var i = 0; i < 2000 && log.Figures.Checkpoints == checkpoints; i++) await Task.Delay(5, TestContext.Current.CancellationToken);
        for (var i = 0; i < partitions; i++)
        {
            await CommitAsync(log, i, "value 1" + new string('x', 200));
            await CommitAsync(log, i, "value 2" + new string('y', 200));
        }
        var failures = 0;
        disk.Fault = (op, path) => op == operation && path.EndsWith(file, StringComparison.Ordinal) && failures++ == 0 ? Eio(op, path) : null;
        if (request)
        {
            log.RequestCheckpoint();
            await log.Failed.WaitAsync(TimeSpan.FromSeconds(10));
        }
        else await Assert.ThrowsAsync<LogFailedException>(() => CommitAsync(log, 0, "not acknowledged"));
        Assert.True(failures > 0);
        disk.Fault = (_, _) => null;
        await log.DisposeAsync();
    }

    static async Task ExpectAsync(LogStore log, int partitions)
    {
        Assert.Empty(log.Quarantined);
        for (var i = 0; i < partitions; i++)
        {
            var values = await log.Find("t")!.Partitions[i].ValuesAsync();
            Assert.Equal(["value 0", "value 1", "value 2"], values.Select(v => v[..7]));
        }
    }

    static async Task CommitAsync(LogStore log, int partition, string value)
    {
        var unit = new LogUnit();
        unit.Append(log.Find("t")!.Partitions[partition], Batches.Of(value));
        Assert.Equal(AppendError.None, (await log.CommitAsync(unit, default))[0].Error);
    }

    static DiskException Eio(string operation, string path) => new(operation, path, 5, "Input/output error");

    static Task<LogStore> OpenAsync(SimulatedDisk disk)
        => LogStore.OpenAsync(new() { Directory = "/data", WalBytes = 4 << 20 }, NullLogger.Instance, TimeProvider.System, disk, default);
}
