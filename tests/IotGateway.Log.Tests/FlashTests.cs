using IotGateway.Log.Tests.Disk;
using IotGateway.Log.Wal;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Tests;

/// <summary>Rule 15: what the log writes for what it is given, as its README says and its figures tell.</summary>
public sealed class FlashTests
{
    [Theory]
    [InlineData(1, 50, 40.0, 65.0)] // one small record each: a page of the write-ahead log for some 80 bytes
    [InlineData(100_000, 20, 1.0, 1.05)]
    public async Task Every_byte_is_written_twice_and_a_unit_takes_whole_pages_of_the_write_ahead_log(int value, int units, double least, double most)
    {
        var disk = new SimulatedDisk();
        await using var log = await LogStore.OpenAsync(new() { Directory = "/data", WalBytes = 32 << 20 }, NullLogger.Instance, new ManualTime(), disk, default);
        var partition = (await log.CreateTopicAsync("t", 1, new(), default)).Partitions[0];
        var before = log.Figures;
        var batch = Batches.Of(new string('x', value));
        for (var i = 0; i < units; i++)
        {
            var unit = new LogUnit();
            unit.Append(partition, batch);
            await log.CommitAsync(unit, default);
        }
        var (wal, appended) = (log.Figures.WalBytes - before.WalBytes, log.Figures.AppendedBytes - before.AppendedBytes);
        Assert.Equal(units * (long)batch.Length, appended);
        Assert.Equal(appended, disk.Content("/data/t-0/00000000000000000000.log").Bytes.Length);
        Assert.Equal(units * FrameFormat.Padded(FrameFormat.HeaderSize + EntryWriter.AppendOverhead + batch.Length), wal);
        Assert.InRange(wal / (double)appended, least, most);
    }
}
