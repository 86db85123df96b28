using System.Globalization;
using System.Text;
using IotGateway.Log.Disk;
using IotGateway.Log.Inspection;
using IotGateway.Log.Records;
using IotGateway.Log.Tests.Disk;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Tests;

/// <summary>Rule 9: compaction keeps the last record of each key, at the offsets they had, through a power cut at any step.</summary>
public sealed class CompactionTests
{
    static readonly Dictionary<string, string> Compact = new()
    {
        ["cleanup.policy"] = "compact", ["segment.bytes"] = "2000", ["min.cleanable.dirty.ratio"] = "0.01", ["delete.retention.ms"] = "60000",
    };

    readonly ManualTime _time = new();

    [Fact]
    public async Task Keeps_the_last_record_of_each_key_at_its_offset()
    {
        var disk = new SimulatedDisk();
        await using (var log = await OpenAsync(disk))
        {
            var partition = (await log.CreateTopicAsync("t", 1, new() { Settings = Compact }, default)).Partitions[0];
            for (var i = 0; i < 300; i++) await CommitAsync(partition, ($"key {i % 7}", $"value {i}"));
            var before = partition.SizeBytes;
            Assert.True(await CompactAsync(log) > 10);
            Assert.True(partition.SizeBytes < before / 4);
            var records = await partition.RecordsAsync();
            AssertLast(records, 300, 7);
            Assert.Equal(300, partition.HighWatermark);
            Assert.Equal(0, partition.LogStart);
            // By time, too, through indexes that were built anew.
            Assert.Equal(records[0].Offset, (await partition.FindByTimeAsync(0, default))!.Value.Offset);
            // Small segments have become one.
            Assert.True(partition.Files.Segments.Length <= 3);
            Assert.Equal(0, await CompactAsync(log));
            for (var i = 300; i < 600; i++) await CommitAsync(partition, ($"key {i % 7}", $"value {i}"));
            await CompactAsync(log);
            AssertLast(await partition.RecordsAsync(), 600, 7);
        }
        Assert.Empty(LogInspector.Verify("/data", disk, default).Findings);
        await using var again = await OpenAsync(disk.Crash(new Random(1)));
        AssertLast(await again.Find("t")!.Partitions[0].RecordsAsync(), 600, 7);
    }

    [Fact]
    public async Task A_power_cut_at_any_step_leaves_the_old_or_the_new_segments()
    {
        var start = new SimulatedDisk();
        await using (var log = await OpenAsync(start))
        {
            var partition = (await log.CreateTopicAsync("t", 1, new() { Settings = Compact }, default)).Partitions[0];
            for (var i = 0; i < 100; i++) await CommitAsync(partition, ($"key {i % 5}", $"value {i}"));
        }
        var steps = 0;
        for (var (cut, finished) = (0, false); !finished; cut++)
        {
            var disk = start.Crash(new Random(cut));
            var log = await OpenAsync(disk);
            disk.PowerOffAt = disk.Operations + cut;
            var failed = false;
            try
            {
                await log.CompactAsync(default);
                log.RequestCheckpoint();
            }
            catch (IOException)
            {
                failed = true;
            }
            await log.DisposeAsync();
            finished = !failed && disk.Operations < disk.PowerOffAt;
            steps = cut;
            var killed = cut % 2 == 0;
            if (killed) disk.Kill();
            else disk = disk.Crash(new Random(cut));
            Assert.Empty((await LogInspector.VerifyAsync("/data", disk, TimeProvider.System, default)).Findings);
            await using (log = await OpenAsync(disk))
            {
                var records = await log.Find("t")!.Partitions[0].RecordsAsync();
                Assert.Equal(100, log.Find("t")!.Partitions[0].HighWatermark);
                foreach (var key in records.GroupBy(r => Text(r.Key)))
                    Assert.Equal($"value {95 + int.Parse(key.Key.AsSpan(4), CultureInfo.InvariantCulture)}", Text(key.Last().Value));
                Assert.All(records, r => Assert.Equal($"value {r.Offset}", Text(r.Value)));
                Assert.DoesNotContain(disk.Files("/data/t-0"), f => f.EndsWith(".cleaned", StringComparison.Ordinal));
                await log.CompactAsync(default);
                AssertLast(await log.Find("t")!.Partitions[0].RecordsAsync(), 100, 5, atMostTail: 40);
            }
            Assert.Empty(LogInspector.Verify("/data", disk, default).Findings);
        }
        Assert.True(steps > 40, $"Only {steps} steps were cut.");
    }

    [Fact]
    public async Task Tombstones_stay_for_their_time_and_then_go()
    {
        var disk = new SimulatedDisk();
        await using var log = await OpenAsync(disk);
        var partition = (await log.CreateTopicAsync("t", 1, new() { Settings = Compact }, default)).Partitions[0];
        await CommitAsync(partition, ("a", "1"), ("b", "1"));
        await CommitAsync(partition, ("a", null));
        await FillAsync(partition);
        await CompactAsync(log);
        var records = await partition.RecordsAsync();
        Assert.DoesNotContain(records, r => Text(r.Key) == "a" && r.Value is not null);
        var tombstone = Assert.Single(records, r => Text(r.Key) == "a");
        Assert.Equal((2, Batches.Time), (tombstone.Offset, tombstone.Timestamp));
        _time.Advance(TimeSpan.FromSeconds(50));
        await FillAsync(partition);
        await CompactAsync(log);
        Assert.Contains(await partition.RecordsAsync(), r => Text(r.Key) == "a");
        _time.Advance(TimeSpan.FromSeconds(20));
        await FillAsync(partition);
        await CompactAsync(log);
        records = await partition.RecordsAsync();
        Assert.DoesNotContain(records, r => Text(r.Key) == "a");
        Assert.Contains(records, r => Text(r.Key) == "b");
    }

    [Fact]
    public async Task A_clock_that_is_set_forward_takes_no_tombstone_early()
    {
        var disk = new SimulatedDisk();
        await using var log = await OpenAsync(disk);
        var partition = (await log.CreateTopicAsync("t", 1, new() { Settings = Compact }, default)).Partitions[0];
        await CommitAsync(partition, ("a", "1"));
        await CommitAsync(partition, ("a", null));
        foreach (var jump in (int[])[0, 30, -60])
        {
            _time.Jump(TimeSpan.FromDays(jump));
            await FillAsync(partition);
            await CompactAsync(log);
            Assert.Contains(await partition.RecordsAsync(), r => Text(r.Key) == "a");
        }
        _time.Advance(TimeSpan.FromSeconds(70));
        await FillAsync(partition);
        await CompactAsync(log);
        Assert.DoesNotContain(await partition.RecordsAsync(), r => Text(r.Key) == "a");
    }

    [Fact]
    public async Task The_last_batch_of_each_producer_stays_if_only_as_a_header()
    {
        var disk = new SimulatedDisk();
        await using var log = await OpenAsync(disk);
        var partition = (await log.CreateTopicAsync("t", 1, new() { Settings = Compact }, default)).Partitions[0];
        for (var sequence = 0; sequence < 3; sequence++)
        {
            var builder = new RecordBatchBuilder { ProducerId = 77, ProducerEpoch = 0, BaseSequence = sequence };
            builder.Add(Batches.Time, "a"u8, Encoding.UTF8.GetBytes($"{sequence}"));
            await AppendAsync(partition, builder.Build());
        }
        await CommitAsync(partition, ("a", "other"));
        await FillAsync(partition);
        await CompactAsync(log);
        var (offsets, at) = (new List<(long, int)>(), 0L);
        while (at < 4)
        {
            var batch = new RecordBatch((await partition.ReadAsync(at, 1, default)).Batches.Span);
            Assert.True(batch.ChecksumHolds);
            if (batch.ProducerId == 77) offsets.Add((batch.BaseOffset, batch.Count));
            at = batch.LastOffset + 1;
        }
        Assert.Equal([(2L, 0)], offsets);
        Assert.Equal("other", Text((await partition.RecordsAsync())[0].Value));
        _time.Advance(TimeSpan.FromDays(2));
        await FillAsync(partition);
        await CompactAsync(log);
        Assert.NotEqual(77, new RecordBatch((await partition.ReadAsync(0, 1, default)).Batches.Span).ProducerId);
    }

    [Fact]
    public async Task More_keys_than_fit_take_several_passes()
    {
        var disk = new SimulatedDisk();
        await using var log = await OpenAsync(disk);
        log.CompactionKeys = 10;
        var partition = (await log.CreateTopicAsync("t", 1, new() { Settings = Compact }, default)).Partitions[0];
        for (var i = 0; i < 400; i++) await CommitAsync(partition, ($"key {i % 50}", $"value {i}"));
        var working = 0;
        for (var pass = 0; pass < 60; pass++)
            if (await CompactAsync(log) > 0) working++;
        Assert.True(working > 5, $"{working} passes replaced something.");
        AssertLast(await partition.RecordsAsync(), 400, 50, atMostTail: 90);
    }

    [Fact]
    public async Task Waits_for_its_ratio_its_lag_and_a_checkpoint_and_leaves_other_topics_alone()
    {
        var disk = new SimulatedDisk();
        await using var log = await OpenAsync(disk);
        var settings = new Dictionary<string, string>(Compact) { ["min.cleanable.dirty.ratio"] = "0.5", ["min.compaction.lag.ms"] = "10000" };
        var partition = (await log.CreateTopicAsync("t", 1, new() { Settings = settings }, default)).Partitions[0];
        var plain = (await log.CreateTopicAsync("plain", 1, new() { Settings = new Dictionary<string, string> { ["segment.bytes"] = "2000" } }, default)).Partitions[0];
        for (var i = 0; i < 100; i++)
        {
            await CommitAsync(partition, ("k", $"value {i}"));
            await CommitAsync(plain, ("k", $"value {i}"));
        }
        Assert.Equal(0, await log.CompactAsync(default)); // no checkpoint: it asks for one
        for (var i = 0; i < 2000 && log.Figures.Checkpoints == 0; i++) await Task.Delay(1, TestContext.Current.CancellationToken);
        Assert.True(log.Figures.Checkpoints > 0);
        await CheckpointAsync(log);
        Assert.Equal(0, await log.CompactAsync(default)); // too young
        _time.Advance(TimeSpan.FromSeconds(11));
        Assert.True(await log.CompactAsync(default) > 0);
        await CheckpointAsync(log);
        Assert.Equal(0, await log.CompactAsync(default)); // nothing new
        Assert.Equal(100, (await plain.RecordsAsync()).Count);
    }

    [Fact]
    public async Task The_greatest_lag_closes_the_active_segment_and_compacts_it_though_nothing_is_written_any_more()
    {
        var disk = new SimulatedDisk();
        await using var log = await OpenAsync(disk);
        var settings = new Dictionary<string, string>(Compact) { ["max.compaction.lag.ms"] = "10000", ["segment.bytes"] = "1000000" };
        var partition = (await log.CreateTopicAsync("t", 1, new() { Settings = settings }, default)).Partitions[0];
        for (var i = 0; i < 100; i++) await CommitAsync(partition, ($"key {i % 5}", $"value {i}"));
        await CompactAsync(log);
        Assert.Equal((1, 100), (partition.Files.Segments.Length, (await partition.RecordsAsync()).Count));
        _time.Advance(TimeSpan.FromSeconds(11));
        for (var pass = 0; pass < 3; pass++) await CompactAsync(log);
        AssertLast(await partition.RecordsAsync(), 100, 5, atMostTail: 0);
        Assert.Equal(100, partition.HighWatermark);
        // The new active segment is empty until something comes, also after a start.
        await log.DisposeAsync();
        await using var again = await OpenAsync(disk.Crash(new Random(1)));
        partition = again.Find("t")!.Partitions[0];
        Assert.Equal(100, partition.HighWatermark);
        await CommitAsync(partition, ("key 0", "value 100"));
        Assert.Equal(6, (await partition.RecordsAsync()).Count);
    }

    [Fact]
    public async Task Compacted_and_deleted_topics_lose_what_retention_no_longer_covers()
    {
        var disk = new SimulatedDisk();
        await using var log = await OpenAsync(disk);
        var settings = new Dictionary<string, string>(Compact) { ["cleanup.policy"] = "compact,delete", ["retention.ms"] = "60000" };
        var partition = (await log.CreateTopicAsync("t", 1, new() { Settings = settings }, default)).Partitions[0];
        for (var i = 0; i < 100; i++) await CommitAsync(partition, ($"key {i % 5}", $"value {i}"));
        Assert.True(await CompactAsync(log) > 0);
        _time.Advance(TimeSpan.FromSeconds(61));
        await CommitAsync(partition, ("key 0", "value 100"));
        for (var i = 0; i < 10; i++) await CommitAsync(partition, ("filler", new string('x', 500)));
        await log.ApplyRetentionAsync(default);
        Assert.True(partition.LogStart >= 90);
        Assert.DoesNotContain(await partition.RecordsAsync(), r => r.Offset < 90);
        Assert.Equal(111, partition.HighWatermark);
    }

    [Fact]
    public async Task Readers_see_every_last_value_while_segments_are_replaced_under_them()
    {
        var disk = new SimulatedDisk();
        await using var log = await OpenAsync(disk);
        var partition = (await log.CreateTopicAsync("t", 1, new() { Settings = Compact }, default)).Partitions[0];
        using var stop = new CancellationTokenSource();
        var reading = Task.Run(async () =>
        {
            for (var reads = 0; ; reads++)
            {
                var end = partition.HighWatermark;
                var records = await partition.RecordsAsync();
                for (var i = 1; i < records.Count; i++) Assert.True(records[i].Offset > records[i - 1].Offset);
                Assert.All(records, r => Assert.Equal($"value {r.Offset}", Text(r.Value)));
                if (end > 0) Assert.True(records[^1].Offset >= end - 1);
                if (stop.IsCancellationRequested) return reads;
            }
        });
        for (var i = 0; i < 1000 && !reading.IsCompleted; i++)
        {
            await CommitAsync(partition, ($"key {i % 9}", $"value {i}"));
            if (i % 50 == 49) await CompactAsync(log);
        }
        await stop.CancelAsync();
        Assert.True(await reading > 5);
    }

    [Fact]
    public async Task A_full_disk_stops_a_pass_and_nothing_is_lost()
    {
        var disk = new SimulatedDisk();
        await using var log = await OpenAsync(disk);
        var partition = (await log.CreateTopicAsync("t", 1, new() { Settings = Compact }, default)).Partitions[0];
        for (var i = 0; i < 100; i++) await CommitAsync(partition, ("k", $"value {i}"));
        await CheckpointAsync(log);
        disk.Fault = (op, path) => op == "open" && path.EndsWith(".cleaned", StringComparison.Ordinal) ? new DiskException(op, path, 28, "No space left on device") : null;
        Assert.Equal(0, await log.CompactAsync(default));
        Assert.Equal(100, (await partition.RecordsAsync()).Count);
        Assert.DoesNotContain(disk.Files("/data/t-0"), f => f.EndsWith(".cleaned", StringComparison.Ordinal));
        disk.Fault = (_, _) => null;
        Assert.True(await log.CompactAsync(default) > 0);
    }

    // The last value of each key is there and no other of what is old enough to be in a closed segment.
    static void AssertLast(List<IotGateway.Log.Records.Record> records, int written, int keys, int atMostTail = 30)
    {
        Assert.All(records, r => Assert.Equal($"value {r.Offset}", Text(r.Value)));
        Assert.Equal(Enumerable.Range(written - keys, keys).Select(i => (long)i), records.TakeLast(keys).Select(r => r.Offset));
        Assert.InRange(records.Count, keys, keys + atMostTail);
    }

    static string Text(ReadOnlyMemory<byte>? bytes) => Encoding.UTF8.GetString(bytes!.Value.Span);

    // Closes the segment before, by records of a key of its own.
    static async Task FillAsync(Partition partition)
    {
        for (var i = 0; i < 3; i++) await CommitAsync(partition, ("filler", new string('x', 1500)));
    }

    static async Task<int> CompactAsync(LogStore log)
    {
        await CheckpointAsync(log);
        return await log.CompactAsync(default);
    }

    static async Task CheckpointAsync(LogStore log)
    {
        var before = log.Figures.Checkpoints;
        // One may be under way that does not have the latest yet.
        for (var more = 1; more <= 2; more++)
        {
            log.RequestCheckpoint();
            for (var i = 0; i < 2000 && log.Figures.Checkpoints < before + more; i++) await Task.Delay(1, TestContext.Current.CancellationToken);
        }
    }

    static async Task CommitAsync(Partition partition, params (string Key, string? Value)[] records)
    {
        var builder = new RecordBatchBuilder();
        foreach (var (key, value) in records)
            builder.Add(Batches.Time, Encoding.UTF8.GetBytes(key), value is null ? default : Encoding.UTF8.GetBytes(value), hasValue: value is not null);
        await AppendAsync(partition, builder.Build());
    }

    static async Task AppendAsync(Partition partition, ReadOnlyMemory<byte> batch)
    {
        var unit = new LogUnit();
        unit.Append(partition, batch);
        Assert.Equal(AppendError.None, (await partition.Store.CommitAsync(unit, default))[0].Error);
    }

    Task<LogStore> OpenAsync(SimulatedDisk disk)
        => LogStore.OpenAsync(new() { Directory = "/data", WalBytes = 512 << 10 }, NullLogger.Instance, _time, disk, default);
}
