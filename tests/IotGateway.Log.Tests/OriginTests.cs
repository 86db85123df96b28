using IotGateway.Log.Tests.Disk;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Tests;

/// <summary>What is kept beside records of who appended them.</summary>
public sealed class OriginTests
{
    [Theory, InlineData(false), InlineData(true)]
    public async Task Is_as_durable_as_the_records_it_is_about(bool checkpoint)
    {
        var disk = new SimulatedDisk();
        var first = await OpenAsync(disk);
        await using (first)
        {
            var topic = await first.CreateTopicAsync("t", 2, new(), default);
            await AppendAsync(first, topic, 0, "User:a", "0", "1");
            await AppendAsync(first, topic, 0, "User:a", "2");
            await AppendAsync(first, topic, 0, null, "3");
            await AppendAsync(first, topic, 0, "User:b", "4");
            await AppendAsync(first, topic, 1, "User:ä", "0");
            await SameAsync(first);
            // Without its end there is no checkpoint either: all of it comes from the write-ahead log.
            if (!checkpoint) disk = disk.Crash(new Random(1));
        }
        await using var again = await OpenAsync(disk);
        await SameAsync(again);
        await AppendAsync(again, again.Find("t")!, 0, "User:b", "5");
        Assert.Equal("User:b", again.Find("t")!.Partitions[0].OriginOf(5));

        static async Task SameAsync(LogStore log)
        {
            var topic = log.Find("t")!;
            Assert.Equal(["User:a", "User:a", "User:a", null, "User:b", null], Enumerable.Range(0, 6).Select(i => topic.Partitions[0].OriginOf(i)));
            Assert.Equal(["User:ä", null], Enumerable.Range(0, 2).Select(i => topic.Partitions[1].OriginOf(i)));
            Assert.Equal(5, (await topic.Partitions[0].ValuesAsync()).Count);
        }
    }

    [Fact]
    public async Task Goes_with_its_records_and_with_its_topic()
    {
        var disk = new SimulatedDisk();
        await using (var log = await OpenAsync(disk))
        {
            var topic = await log.CreateTopicAsync("t", 1, new(), default);
            for (var i = 0; i < 10; i++) await AppendAsync(log, topic, 0, "User:" + i % 2, "x");
            Assert.Equal(10, log.Scan("log.origins").Count);
            await topic.Partitions[0].DeleteRecordsAsync(7, default);
            Assert.Equal(3, log.Scan("log.origins").Count);
            Assert.Equal([null, "User:1", "User:0"], new[] { 6, 7, 8 }.Select(i => topic.Partitions[0].OriginOf(i)));
        }
        await using var again = await OpenAsync(disk);
        Assert.Equal(3, again.Scan("log.origins").Count);
        await again.DeleteTopicAsync(again.Find("t")!.Id, default);
        Assert.Empty(again.Scan("log.origins"));
    }

    [Fact]
    public async Task One_origin_that_appends_all_takes_one_entry()
    {
        var disk = new SimulatedDisk();
        await using var log = await OpenAsync(disk);
        var topic = await log.CreateTopicAsync("t", 1, new(), default);
        for (var i = 0; i < 100; i++) await AppendAsync(log, topic, 0, "User:a", "x", "y");
        Assert.Single(log.Scan("log.origins"));
        Assert.Equal(("User:a", null), (topic.Partitions[0].OriginOf(199), topic.Partitions[0].OriginOf(200)));
    }

    [Fact]
    public async Task A_duplicate_does_not_change_whose_it_is()
    {
        var disk = new SimulatedDisk();
        await using var log = await OpenAsync(disk);
        var topic = await log.CreateTopicAsync("t", 1, new(), default);
        foreach (var origin in new[] { "User:a", "User:b" })
        {
            var unit = new LogUnit();
            unit.Append(topic.Partitions[0], Batches.Idempotent(1, 0, 0, "x"), origin);
            await log.CommitAsync(unit, default);
        }
        Assert.Equal(("User:a", null), (topic.Partitions[0].OriginOf(0), topic.Partitions[0].OriginOf(1)));
    }

    static async Task AppendAsync(LogStore log, Topic topic, int partition, string? origin, params string[] values)
    {
        var unit = new LogUnit();
        unit.Append(topic.Partitions[partition], Batches.Of(values), origin);
        Assert.Equal(AppendError.None, (await log.CommitAsync(unit, default))[0].Error);
    }

    static Task<LogStore> OpenAsync(SimulatedDisk disk)
        => LogStore.OpenAsync(new() { Directory = "/data", WalBytes = 512 << 10 }, NullLogger.Instance, TimeProvider.System, disk, TestContext.Current.CancellationToken);
}
