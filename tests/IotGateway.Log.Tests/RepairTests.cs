using IotGateway.Log.Disk;
using IotGateway.Log.Inspection;
using IotGateway.Log.Records;
using IotGateway.Log.Recovery;
using IotGateway.Log.Tests.Disk;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Tests;

/// <summary>What can be done about a stopped log that is damaged: repair, and reading it without.</summary>
public sealed class RepairTests
{
    const int Records = 120;

    [Fact]
    public async Task Says_what_it_would_do_and_does_it()
    {
        var disk = await StoppedAsync();
        const string path = "/data/t-0/00000000000000000000.log";
        disk.Content(path).Bytes[300] ^= 1;
        disk.Delete("/data/t-0/00000000000000000000.index");
        var before = (byte[])disk.Content(path).Bytes.Clone();
        Assert.NotEmpty((await RepairAsync(disk, dryRun: true)).Actions);
        Assert.Equal(before, disk.Content(path).Bytes);
        var report = await RepairAsync(disk);
        Assert.Equal(0, report.Unmended);
        Assert.Contains(report.Actions, a => a.Contains("t-0: offsets 1 up to 2 are lost", StringComparison.Ordinal));
        Assert.Empty(LogInspector.Verify("/data", disk, default).Findings);
        Assert.Empty((await RepairAsync(disk, dryRun: true)).Actions);
        await using var log = await OpenAsync(disk);
        Assert.Equal(Records - 1, (await log.Find("t")!.Partitions[0].RecordsAsync()).Count);
    }

    [Fact]
    public async Task Refuses_while_a_gateway_runs()
    {
        var disk = new SimulatedDisk();
        await using var log = await OpenAsync(disk);
        await Assert.ThrowsAsync<LogLockedException>(() => RepairAsync(disk));
    }

    [Fact]
    public async Task A_lost_state_is_the_one_before_when_every_frame_since_is_there()
    {
        var disk = new SimulatedDisk();
        var log = await OpenAsync(disk);
        var partition = (await log.CreateTopicAsync("t", 1, new() { Settings = new Dictionary<string, string> { ["retention.ms"] = "-1", ["segment.bytes"] = "3000" } }, default)).Partitions[0];
        await WriteAsync(log, partition, 0, 20);
        log.RequestCheckpoint();
        await WriteAsync(log, partition, 20, 30);
        await log.DisposeAsync();
        disk.Content("/data/state").Bytes[40] ^= 1;
        await Assert.ThrowsAsync<LogFormatException>(() => OpenAsync(disk));
        var report = await RepairAsync(disk);
        Assert.Contains(report.Actions, a => a.Contains("nothing is lost", StringComparison.Ordinal));
        await using var again = await OpenAsync(disk);
        Assert.Equal(log.Id, again.Id);
        Assert.Equal(30, (await again.Find("t")!.Partitions[0].RecordsAsync()).Count);
        Assert.Equal("29", Text(again.Get("table", "key"u8)));
        Assert.Equal("-1", again.Find("t")!.Config.Settings["retention.ms"]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_lost_state_is_made_again_from_segments_and_frames(bool checkpointed)
    {
        var disk = await StoppedAsync(kill: !checkpointed);
        disk.Delete("/data/state");
        disk.Delete("/data/state.previous");
        await Assert.ThrowsAsync<LogFormatException>(() => OpenAsync(disk));
        Assert.NotEmpty((await RepairAsync(disk, dryRun: true)).Actions);
        Assert.False(disk.Exists("/data/state"));
        var report = await RepairAsync(disk);
        Assert.Contains(report.Actions, a => a.Contains("settings of topics", StringComparison.Ordinal));
        Assert.Empty(LogInspector.Verify("/data", disk, default).Findings);
        await using var log = await OpenAsync(disk);
        var partition = log.Find("t")!.Partitions[0];
        Assert.Equal(Enumerable.Range(0, Records).Select(i => (long)i), (await partition.RecordsAsync()).ConvertAll(r => r.Offset));
        Assert.Equal(1, partition.LeaderEpoch);
        // When it was written is not known: that the records' times are old deletes nothing.
        await log.ApplyRetentionAsync(default);
        Assert.Equal(0, partition.LogStart);
        // Producers are known by what they wrote: a repetition is one.
        var unit = new LogUnit();
        unit.Append(partition, Batches.Idempotent(9, 0, 4, "idempotent"));
        var result = (await log.CommitAsync(unit, default))[0];
        Assert.Equal((AppendError.DuplicateSequence, Records - 1), (result.Error, result.BaseOffset));
        await WriteAsync(log, partition, Records, Records + 5);
        Assert.Equal(Records + 5, (await partition.RecordsAsync()).Count);
    }

    [Fact]
    public async Task Export_reads_a_damaged_log_and_says_what_it_cannot()
    {
        var disk = await StoppedAsync(kill: true);
        const string path = "/data/t-0/00000000000000000000.log";
        var second = new RecordBatch(disk.Content(path).Bytes).Size;
        disk.Content(path).Bytes[second + 80] ^= 1;
        foreach (var state in new[] { true, false })
        {
            if (!state) disk.Delete("/data/state");
            var offsets = new List<long>();
            var lost = new List<(long, long)>();
            Assert.Equal(1, LogExport.Read("/data", "t", null, (_, batch) => offsets.AddRange(new RecordReader(batch).Offsets()), (_, from, to) => lost.Add((from, to)), disk, default));
            Assert.Equal(Enumerable.Range(0, Records).Select(i => (long)i).Except([1L]), offsets);
            Assert.Equal([(1L, 2L)], lost);
        }
        Assert.Equal(0, LogExport.Read("/data", "unknown", null, (_, _) => { }, (_, _, _) => { }, disk, default));
    }

    static string? Text(ReadOnlyMemory<byte>? value) => value is { } some ? System.Text.Encoding.UTF8.GetString(some.Span) : null;

    static Task<RepairReport> RepairAsync(SimulatedDisk disk, bool dryRun = false)
        => LogRepair.RunAsync("/data", dryRun, NullLogger.Instance, TimeProvider.System, disk, default);

    // Small segments, the last records idempotent; killed, the disk has what was synced, and frames to be replayed.
    static async Task<SimulatedDisk> StoppedAsync(bool kill = false)
    {
        var disk = new SimulatedDisk();
        var log = await OpenAsync(disk);
        var partition = (await log.CreateTopicAsync("t", 1, new() { Settings = new Dictionary<string, string> { ["segment.bytes"] = "3000", ["retention.ms"] = "-1" } }, default)).Partitions[0];
        await WriteAsync(log, partition, 0, Records - 5);
        for (var i = 0; i < 5; i++)
        {
            var unit = new LogUnit();
            unit.Append(partition, Batches.Idempotent(9, 0, i, "idempotent"));
            await log.CommitAsync(unit, default);
        }
        var killed = disk.Crash(new Random(1));
        await log.DisposeAsync();
        return kill ? killed : disk;
    }

    static async Task WriteAsync(LogStore log, Partition partition, int from, int to)
    {
        for (var i = from; i < to; i++)
        {
            var unit = new LogUnit();
            unit.Append(partition, Batches.At(Batches.Time + i, $"value {i} {new string('x', 200)}"));
            unit.Put("table", "key"u8.ToArray(), System.Text.Encoding.UTF8.GetBytes(i.ToString(System.Globalization.CultureInfo.InvariantCulture)));
            await log.CommitAsync(unit, default);
        }
    }

    static Task<LogStore> OpenAsync(SimulatedDisk disk)
        => LogStore.OpenAsync(new() { Directory = "/data", WalBytes = 512 << 10 }, NullLogger.Instance, TimeProvider.System, disk, default);
}

file static class Reading
{
    public static IEnumerable<long> Offsets(this RecordReader reader)
    {
        var offsets = new List<long>();
        foreach (var record in reader) offsets.Add(record.Offset);
        return offsets;
    }
}
