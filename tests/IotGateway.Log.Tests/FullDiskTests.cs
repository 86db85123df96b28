using IotGateway.Log.Tests.Disk;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Tests;

/// <summary>Starts on a disk without a free byte: they come up, serve reads, refuse appends, and go on when there is space.</summary>
public sealed class FullDiskTests
{
    const long Reserve = 4 << 20;

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_start_on_a_full_disk_serves_reads_refuses_appends_and_takes_reserved_units(bool killed)
    {
        var disk = new SimulatedDisk { Capacity = 64 << 20 };
        var log = await OpenAsync(disk);
        await log.CreateTopicAsync("t", 1, new(), default);
        for (var i = 0; i < 20; i++) await CommitAsync(log, $"value {i}");
        await FilledAsync(disk);
        if (killed) disk.PowerOffAt = 0;
        await log.DisposeAsync();
        disk.Kill();
        disk.FillUp();
        await using (log = await OpenAsync(disk))
        {
            Assert.False(log.Accepting);
            Assert.Equal(20, (await log.Find("t")!.Partitions[0].ValuesAsync()).Count);
            await Assert.ThrowsAsync<LogFullException>(() => CommitAsync(log, "refused"));
            await CommitAsync(log, "gap", reserved: true);
            Assert.DoesNotContain("reserve", disk.Files("/data")); // it was used
            disk.Capacity += 32 << 20;
            await AcceptsAsync(log);
            await CommitAsync(log, "again");
            Assert.Contains("reserve", disk.Files("/data"));
            var values = await log.Find("t")!.Partitions[0].ValuesAsync();
            Assert.Equal(["gap", "again"], values[20..]);
        }
        await using var after = await OpenAsync(disk.Crash(new Random(1)));
        Assert.Equal(22, (await after.Find("t")!.Partitions[0].ValuesAsync()).Count);
    }

    [Fact]
    public async Task A_start_on_a_full_disk_without_a_reserve_left_reads_from_the_write_ahead_log_until_there_is_space()
    {
        var disk = new SimulatedDisk { Capacity = 64 << 20 };
        var log = await OpenAsync(disk);
        await log.CreateTopicAsync("t", 1, new(), default);
        await FilledAsync(disk);
        log.RequestCheckpoint();
        for (var i = 0; i < 2000 && log.Figures.Checkpoints == 0; i++) await Task.Delay(5, TestContext.Current.CancellationToken);
        for (var i = 0; i < 20; i++) await CommitAsync(log, $"value {i}");
        disk.PowerOffAt = 0;
        await log.DisposeAsync();
        disk.Kill();
        // The segment lost what was not synced, the reserve is used up, and there is no free byte.
        disk = disk.Crash(new Random(3));
        disk.Delete("/data/reserve");
        disk.FillUp();
        await using (log = await OpenAsync(disk))
        {
            var partition = log.Find("t")!.Partitions[0];
            Assert.Equal(20, (await partition.ValuesAsync()).Count);
            Assert.False(log.Accepting);
            await Assert.ThrowsAsync<LogFullException>(() => CommitAsync(log, "refused"));
            disk.Capacity += 32 << 20;
            await AcceptsAsync(log);
            await CommitAsync(log, "again");
            Assert.Equal(21, (await partition.ValuesAsync()).Count);
        }
        Assert.Empty(Inspection.LogInspector.Verify("/data", disk, default).Findings);
        await using var after = await OpenAsync(disk.Crash(new Random(1)));
        Assert.Equal(21, (await after.Find("t")!.Partitions[0].ValuesAsync()).Count);
        Assert.Equal(2, after.StartCount - 1);
    }

    [Fact]
    public async Task A_log_that_fills_the_disk_keeps_every_acknowledged_record_through_a_kill()
    {
        var disk = new SimulatedDisk { Capacity = 16 << 20 };
        var log = await OpenAsync(disk);
        await log.CreateTopicAsync("t", 1, new(), default);
        await FilledAsync(disk);
        var value = new string('x', 50_000);
        var acknowledged = 0;
        try
        {
            while (acknowledged < 1000)
            {
                await CommitAsync(log, value);
                acknowledged++;
            }
        }
        catch (LogFullException) { }
        Assert.InRange(acknowledged, 10, 500);
        for (var i = 0; i < 10; i++) await CommitAsync(log, "outcome", reserved: true);
        disk.PowerOffAt = 0;
        await log.DisposeAsync();
        disk.Kill();
        await using (log = await OpenAsync(disk))
        {
            Assert.Equal(acknowledged + 10, log.Find("t")!.Partitions[0].HighWatermark);
            await Assert.ThrowsAsync<LogFullException>(() => CommitAsync(log, value));
            await log.Find("t")!.Partitions[0].DeleteRecordsAsync(-1, default); // a way to make space must stay open
        }
    }

    static async Task AcceptsAsync(LogStore log)
    {
        for (var i = 0; i < 2000 && !log.Accepting; i++) await Task.Delay(5, TestContext.Current.CancellationToken);
        Assert.True(log.Accepting);
    }

    // The write-ahead files are made in the background.
    static async Task FilledAsync(SimulatedDisk disk)
    {
        for (var i = 0; i < 2000 && disk.Files("/data/wal").Count < Wal.WalFiles.Count; i++) await Task.Delay(5, TestContext.Current.CancellationToken);
        await Task.Delay(50, TestContext.Current.CancellationToken);
    }

    static async Task CommitAsync(LogStore log, string value, bool reserved = false)
    {
        var unit = new LogUnit { Reserved = reserved };
        unit.Append(log.Find("t")!.Partitions[0], Batches.Of(value));
        Assert.Equal(AppendError.None, (await log.CommitAsync(unit, default).AsTask().WaitAsync(TimeSpan.FromSeconds(10)))[0].Error);
    }

    static Task<LogStore> OpenAsync(SimulatedDisk disk)
        => LogStore.OpenAsync(new() { Directory = "/data", WalBytes = 2 << 20, ReserveBytes = Reserve }, NullLogger.Instance, TimeProvider.System, disk, default);
}
