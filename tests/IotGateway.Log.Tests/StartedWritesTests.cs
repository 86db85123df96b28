using IotGateway.Log.Tests.Disk;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Tests;

/// <summary>What lies between a write and its sync: the disk begins early, so that the sync, and who waits for it, need not wait for all of it.</summary>
public sealed class StartedWritesTests
{
    const int Page = 4096, Least = 256 << 10;

    [Theory, InlineData("os"), InlineData("interval:1h"), InlineData("fsync")]
    public async Task The_disk_begins_with_whole_pages_once_and_soon_of_the_write_ahead_log_only_where_nobody_waits_for_a_sync(string durability)
    {
        using var disk = new StartedWrites(new SimulatedDisk());
        await using var log = await LogStore.OpenAsync(new() { Directory = "/data", WalBytes = 64 << 20 }, NullLogger.Instance, new ManualTime(), disk, default);
        var settings = new Dictionary<string, string> { ["iotgateway.durability"] = durability, ["segment.bytes"] = $"{3 << 20}" };
        var partition = (await log.CreateTopicAsync("t", 1, new() { Settings = settings }, default)).Partitions[0];
        var syncs = log.Figures.Syncs;
        for (var i = 0; i < 17; i++) // each a frame that would be worth it
        {
            var unit = new LogUnit();
            for (var n = 0; n < 3; n++) unit.Append(partition, Batches.Of(new string('x', 99_000)));
            await log.CommitAsync(unit, default);
        }
        // 4.8 MiB: two segments. What was not synced yet is not in them.
        for (var i = 0; i < 2000 && disk.Of(".log").Count < 12; i++) await Task.Delay(5, TestContext.Current.CancellationToken);
        var segments = disk.Of(".log");
        Assert.Equal(2, segments.Count(s => s.From == 0));
        Contiguous(segments);
        Assert.InRange(segments.Sum(s => s.To - s.From), 12 * Least, partition.SizeBytes);

        var frames = disk.Of(".wal");
        if (durability == "fsync") Assert.Empty(frames);
        else
        {
            Assert.True(log.Figures.Syncs - syncs < 10, "It was synced again and again.");
            Assert.All(frames, f => Assert.True(f.From >= Page)); // not the header
            Assert.InRange(frames.Sum(f => f.To - f.From), 2 << 20, partition.SizeBytes * 2);
            for (var i = 1; i < frames.Count; i++) Assert.True(frames[i].From >= frames[i - 1].To || frames[i].From == Page, "Asked for twice.");
        }
        Assert.All(segments.Concat(frames), s => Assert.True(s.From % Page == 0 && s.To % Page == 0 && s.To - s.From >= Least, $"{s}"));
    }

    [Fact]
    public async Task Small_records_that_nobody_waits_for_are_left_to_their_sync()
    {
        using var disk = new StartedWrites(new SimulatedDisk());
        await using var log = await LogStore.OpenAsync(new() { Directory = "/data", WalBytes = 64 << 20 }, NullLogger.Instance, new ManualTime(), disk, default);
        var partition = (await log.CreateTopicAsync("t", 1, new() { Settings = new Dictionary<string, string> { ["iotgateway.durability"] = "os" } }, default)).Partitions[0];
        for (var i = 0; i < 50; i++)
        {
            var unit = new LogUnit();
            unit.Append(partition, Batches.Of("small"));
            await log.CommitAsync(unit, default);
        }
        Assert.Empty(disk.Of(".wal"));
        Assert.Empty(disk.Of(".log"));
    }

    static void Contiguous(List<(long From, long To)> ranges)
    {
        for (var i = 1; i < ranges.Count; i++) Assert.True(ranges[i].From == 0 || ranges[i].From == ranges[i - 1].To, $"After {ranges[i - 1]} came {ranges[i]}.");
    }
}
