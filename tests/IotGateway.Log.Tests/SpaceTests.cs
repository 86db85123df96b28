using IotGateway.Log.Tests.Disk;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Tests;

/// <summary>Rule 13: what goes when the log's budget is used up or the disk is full, in which order, and that all of it is told.</summary>
public sealed class SpaceTests
{
    const long Budget = 100_000;
    readonly ManualTime _time = new();
    readonly SimulatedDisk _disk = new();

    [Fact]
    public async Task The_low_lane_goes_first_then_the_oldest_and_every_record_that_went_is_told()
    {
        await using var log = await OpenAsync(_disk);
        var high = await TopicAsync(log, "high", "high");
        var normal = await TopicAsync(log, "normal", "normal");
        var low = await TopicAsync(log, "low", "low");
        await FillAsync(high, 30_000);
        await FillAsync(normal, 30_000);
        await FillAsync(low, 60_000);
        Assert.True(await log.KeepSpaceAsync(default) > 0);
        Assert.Equal((0, 0), (high.LogStart, normal.LogStart));
        Assert.True(low.LogStart > 0);
        Assert.InRange(Total(log), Budget - 20_000, Budget);
        await FillAsync(normal, 60_000);
        await log.KeepSpaceAsync(default);
        Assert.Equal(low.HighWatermark, low.LogStart); // all of it, its active segment too
        Assert.True(normal.LogStart > 0);
        Assert.Equal(0, high.LogStart);
        Assert.InRange(Total(log), Budget - 20_000, Budget);
        AssertTold(log);
        Assert.Equal(log.Dropped.Sum(d => d.Bytes), log.Figures.DroppedBytes);
        Assert.Equal(low.LogStart + normal.LogStart, log.Figures.DroppedRecords);
        Assert.All(log.Dropped, d => Assert.False(d.DiskFull));
        // The files go with the next checkpoint.
        for (var i = 0; i < 2000 && _disk.Files("/data/low-0").Count > 4; i++) await Task.Delay(1, TestContext.Current.CancellationToken);
        Assert.Equal(4, _disk.Files("/data/low-0").Count);
    }

    [Fact]
    public async Task A_pin_holds_what_its_sink_has_not_delivered_until_it_is_too_old_and_meanwhile_appends_are_refused()
    {
        await using var log = await OpenAsync(_disk);
        var topic = await TopicAsync(log, "t", "normal", ("retention.ms", "-1"));
        var position = 0L;
        log.Pins = [new("cloud", TimeSpan.FromDays(7), p => p == topic ? position : null)];
        await FillAsync(topic, 120_000);
        Assert.Equal(0, await log.KeepSpaceAsync(default));
        Assert.Equal(0, topic.LogStart);
        Assert.False(log.Accepting);
        var refused = await Assert.ThrowsAsync<LogFullException>(() => AppendAsync(topic, 100));
        Assert.Contains("log.retention.size", refused.Message, StringComparison.Ordinal);
        await AppendAsync(topic, 100, reserved: true); // a gap, an outcome, an offset
        position = topic.HighWatermark / 2;
        Assert.True(await log.KeepSpaceAsync(default) > 0);
        Assert.InRange(topic.LogStart, 1, position);
        Assert.True(log.Accepting);
        await AppendAsync(topic, 100);
        await FillAsync(topic, 70_000, reserved: true);
        await log.KeepSpaceAsync(default);
        Assert.False(log.Accepting);
        Assert.InRange(topic.LogStart, 1, position);
        _time.Advance(TimeSpan.FromDays(7) + TimeSpan.FromSeconds(1));
        await log.KeepSpaceAsync(default);
        Assert.True(log.Accepting);
        Assert.True(topic.LogStart > position);
        AssertTold(log);
    }

    [Fact]
    public async Task A_pin_holds_against_retention_by_age_too()
    {
        await using var log = await OpenAsync(_disk);
        var topic = await TopicAsync(log, "t", "normal", ("retention.ms", "60000"));
        var position = 0L;
        log.Pins = [new("cloud", TimeSpan.FromHours(1), p => p == topic ? position : null)];
        await FillAsync(topic, 50_000);
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(0, await log.ApplyRetentionAsync(default));
        position = topic.HighWatermark / 2;
        Assert.Equal(1, await log.ApplyRetentionAsync(default));
        Assert.InRange(topic.LogStart, 1, position);
        _time.Advance(TimeSpan.FromHours(1));
        await log.ApplyRetentionAsync(default);
        Assert.Equal(topic.HighWatermark, topic.LogStart);
        Assert.Empty(log.Dropped); // as configured: no gap
    }

    [Fact]
    public async Task Nothing_goes_before_it_is_known_what_is_pinned()
    {
        await using var log = await OpenAsync(_disk, awaitsPins: true);
        var topic = await TopicAsync(log, "t", "low");
        await FillAsync(topic, 150_000);
        Assert.Equal(0, await log.KeepSpaceAsync(default));
        Assert.Equal(0, await log.ApplyRetentionAsync(default));
        log.Pins = [];
        for (var i = 0; i < 2000 && topic.LogStart == 0; i++) await Task.Delay(1, TestContext.Current.CancellationToken);
        Assert.True(topic.LogStart > 0);
    }

    [Fact]
    public async Task Many_small_topics_keep_to_the_budget_though_none_of_them_fills_a_segment()
    {
        await using var log = await OpenAsync(_disk);
        var partitions = (await log.CreateTopicAsync("t", 200, new(), default)).Partitions;
        for (var round = 0; round < 20; round++)
        {
            foreach (var partition in partitions) await AppendAsync(partition, 40);
            await log.KeepSpaceAsync(default);
            Assert.InRange(Total(log), 1, Budget);
        }
        AssertTold(log);
    }

    [Fact]
    public async Task Under_full_speed_the_budget_is_kept_by_itself_within_one_segment_and_what_is_under_way()
    {
        await using var log = await OpenAsync(_disk, TimeProvider.System, budget: 2 << 20);
        var partition = (await log.CreateTopicAsync("t", 1, new(), default)).Partitions[0];
        long most = 0;
        for (var i = 0; i < 2000; i++)
        {
            await AppendAsync(partition, 10_000);
            most = Math.Max(most, partition.SizeBytes);
        }
        Assert.InRange(most, 1 << 20, (2 << 20) + (128 << 10) + (512 << 10)); // a sixteenth, and the write-ahead log
        for (var i = 0; i < 2000 && partition.SizeBytes > 2 << 20; i++) await Task.Delay(1, TestContext.Current.CancellationToken);
        await log.KeepSpaceAsync(default);
        AssertTold(log);
    }

    [Fact]
    public async Task Compacted_topics_hold_the_present_and_are_never_dropped()
    {
        await using var log = await OpenAsync(_disk);
        var compacted = await TopicAsync(log, "compacted", "low", ("cleanup.policy", "compact"));
        await FillAsync(compacted, 120_000);
        Assert.Equal(0, await log.KeepSpaceAsync(default));
        Assert.Equal(0, compacted.LogStart);
        Assert.False(log.Accepting);
    }

    [Fact]
    public async Task A_full_disk_takes_closed_segments_before_appends_are_refused()
    {
        var disk = new SimulatedDisk { Capacity = 24 << 20 };
        await using var log = await LogStore.OpenAsync(new() { Directory = "/data", WalBytes = 2 << 20, ReserveBytes = 1 << 20 }, NullLogger.Instance, _time, disk, default);
        var topic = await TopicAsync(log, "t", "normal", ("segment.bytes", "1000000"));
        for (var i = 0; i < 400; i++)
        {
            await AppendAsync(topic, 100_000);
            if (i % 5 == 4) await log.KeepSpaceAsync(default);
            if (log.Dropped.Count > 0) for (var wait = 0; wait < 200 && disk.FreeBytes("/data") < 4 << 20; wait++) await Task.Delay(1, TestContext.Current.CancellationToken);
        }
        Assert.Equal(400, topic.HighWatermark);
        Assert.All(log.Dropped, d => Assert.True(d.DiskFull));
        AssertTold(log);
    }

    /// <summary>Rule 13, both halves of "age": a device in the year 2000 loses nothing at once, a record stamped 2035 holds nothing.</summary>
    [Theory, InlineData(946_684_800_000), InlineData(2_051_222_400_000)]
    public async Task Age_is_that_of_the_append_whatever_the_record_says(long stamp)
    {
        await using var log = await OpenAsync(_disk);
        var topic = await TopicAsync(log, "t", "normal", ("retention.ms", "60000"), ("segment.bytes", "1000"));
        for (var i = 0; i < 20; i++) await CommitAsync(topic, Batches.At(stamp, new string('x', 300)), false);
        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(0, await log.ApplyRetentionAsync(default));
        Assert.Equal(0, topic.LogStart);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(1, await log.ApplyRetentionAsync(default));
        Assert.Equal(20, topic.LogStart); // the active segment was closed for it
    }

    [Fact]
    public async Task A_log_holds_64_MiB_back_for_what_must_be_kept_unless_told_otherwise()
    {
        await using var log = await LogStore.OpenAsync(new() { Directory = "/data", WalBytes = 512 << 10 }, NullLogger.Instance, _time, _disk, default);
        Assert.Equal(64 << 20, _disk.Content("/data/reserve").Space);
    }

    static void AssertTold(LogStore log)
    {
        var told = log.Dropped;
        foreach (var partition in log.Topics.SelectMany(t => t.Partitions))
        {
            var next = 0L;
            foreach (var range in told.Where(d => (d.Topic, d.Partition) == (partition.Topic.Name, partition.Index)))
            {
                Assert.Equal(next, range.FromOffset);
                Assert.True(range.ToOffset > range.FromOffset && range.Bytes > 0 && range.To >= range.From);
                next = range.ToOffset;
            }
            Assert.Equal(partition.LogStart, next);
        }
    }

    static long Total(LogStore log) => log.Topics.Sum(t => t.Partitions.Sum(p => p.SizeBytes));

    static async Task<Partition> TopicAsync(LogStore log, string name, string lane, params (string Name, string Value)[] more)
    {
        var settings = new Dictionary<string, string> { ["iotgateway.lane"] = lane, ["segment.bytes"] = "5000" };
        foreach (var (key, value) in more) settings[key] = value;
        return (await log.CreateTopicAsync(name, 1, new() { Settings = settings }, default)).Partitions[0];
    }

    async Task FillAsync(Partition partition, int bytes, bool reserved = false)
    {
        for (var end = partition.SizeBytes + bytes; partition.SizeBytes < end;)
        {
            _time.Advance(TimeSpan.FromMilliseconds(1));
            await AppendAsync(partition, 500, reserved);
        }
    }

    static Task AppendAsync(Partition partition, int bytes, bool reserved = false) => CommitAsync(partition, Batches.Of(new string('x', bytes)), reserved);

    static async Task CommitAsync(Partition partition, byte[] batch, bool reserved)
    {
        var unit = new LogUnit { Reserved = reserved };
        unit.Append(partition, batch);
        Assert.Equal(AppendError.None, (await partition.Store.CommitAsync(unit, default))[0].Error);
    }

    Task<LogStore> OpenAsync(SimulatedDisk disk, TimeProvider? time = null, bool awaitsPins = false, long budget = Budget) => LogStore.OpenAsync(
        new() { Directory = "/data", WalBytes = 512 << 10, BudgetBytes = budget, AwaitsPins = awaitsPins }, NullLogger.Instance, time ?? _time, disk, default);
}
