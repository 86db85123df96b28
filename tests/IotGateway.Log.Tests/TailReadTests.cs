using IotGateway.Log.Records;
using IotGateway.Log.Tests.Disk;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Tests;

/// <summary>Readers at the end of a partition, while what they read moves from memory into the segment.</summary>
public sealed class TailReadTests
{
    const int Records = 1200;

    [Fact]
    public async Task A_reader_at_the_end_misses_no_record_that_moves_into_the_segment_meanwhile()
    {
        await using var log = await LogStore.OpenAsync(new() { Directory = "/data", WalBytes = 8 << 20 }, NullLogger.Instance, TimeProvider.System, new SimulatedDisk(), default);
        var early = (await log.CreateTopicAsync("early", 1, new() { Settings = new Dictionary<string, string> { ["iotgateway.durability"] = "os" } }, default)).Partitions[0];
        var synced = (await log.CreateTopicAsync("synced", 1, new(), default)).Partitions[0];
        var readers = Enumerable.Range(0, 3).Select(_ => Task.Run(() => ReadAsync(early))).ToList();
        var times = Task.Run(() => FindAsync(early));
        for (var i = 0; i < Records;)
        {
            // Readable before the sync; the next unit is synced, and takes them into the segment.
            for (var burst = 0; burst < 4; burst++) await CommitAsync(log, early, ++i);
            await CommitAsync(log, synced, i);
        }
        await Task.WhenAll(readers).WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        await times.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
    }

    static async Task ReadAsync(Partition partition)
    {
        for (long offset = 0; offset < Records;)
        {
            var slice = await partition.ReadAsync(offset, 1 << 10, default);
            if (slice.Batches.IsEmpty) await Task.Yield();
            foreach (var record in new RecordReader(slice.Batches)) Assert.Equal(offset++, record.Offset);
        }
    }

    // The record at offset n has the time n + 1.
    static async Task FindAsync(Partition partition)
    {
        while (partition.HighWatermark is var end && end < Records)
        {
            if (end == 0) continue;
            Assert.Equal(end - 1, (await partition.FindByTimeAsync(end, default))?.Offset);
            Assert.InRange((await partition.FindMaxTimestampAsync(default))!.Value.Offset, end - 1, Records);
        }
    }

    static async Task CommitAsync(LogStore log, Partition partition, long time)
    {
        var unit = new LogUnit();
        unit.Append(partition, Batches.At(time, "value"));
        Assert.Equal(AppendError.None, (await log.CommitAsync(unit, default))[0].Error);
    }
}
