using System.Buffers.Binary;
using IotGateway.Log.Segments;
using IotGateway.Log.Tests.Disk;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Tests;

/// <summary>Rule 11: indexes have no checksums of their own. An entry that leads to a batch, but to a later one than it says, hides no record.</summary>
public sealed class IndexHintTests
{
    const int Records = 400;
    const string Oldest = "/data/t-0/00000000000000000000";

    readonly ManualTime _time = new();

    [Fact]
    public async Task An_entry_that_leads_too_far_hides_no_record_from_readers_by_offset()
    {
        var disk = await WrittenAsync();
        var index = disk.Content(Oldest + ".index").Bytes;
        Assert.True(index.Length >= 6 * SegmentIndex.EntrySize);
        // Each leads to where the next but one should: a batch begins there, too.
        for (var at = 0; at + 2 * SegmentIndex.EntrySize < index.Length; at += SegmentIndex.EntrySize)
            index.AsSpan(at + 2 * SegmentIndex.EntrySize + 4, 4).CopyTo(index.AsSpan(at + 4));
        await using var log = await OpenAsync(disk);
        var partition = log.Find("t")!.Partitions[0];
        for (long offset = Records - 1; offset >= 0; offset -= 7) Assert.Equal(offset, (await partition.RecordsAsync(offset, 1))[0].Offset);
    }

    [Fact]
    public async Task An_entry_that_names_a_later_batch_hides_no_record_from_a_look_up_by_time()
    {
        var disk = await WrittenAsync();
        var index = disk.Content(Oldest + ".timeindex").Bytes;
        Assert.True(index.Length >= 6 * SegmentIndex.TimeEntrySize);
        for (var at = 0; at < index.Length; at += SegmentIndex.TimeEntrySize)
            BinaryPrimitives.WriteInt32BigEndian(index.AsSpan(at + 8), Math.Min(BinaryPrimitives.ReadInt32BigEndian(index.AsSpan(at + 8)) + 60, Records - 1));
        await using var log = await OpenAsync(disk);
        var partition = log.Find("t")!.Partitions[0];
        for (long offset = Records - 1; offset >= 0; offset -= 7)
            Assert.Equal(offset, (await partition.FindByTimeAsync(Batches.Time + offset, default))!.Value.Offset);
    }

    // One segment, closed in order; each record has a time of its own.
    async Task<SimulatedDisk> WrittenAsync()
    {
        var disk = new SimulatedDisk();
        await using var log = await OpenAsync(disk);
        var partition = (await log.CreateTopicAsync("t", 1, new(), default)).Partitions[0];
        for (var i = 0; i < Records; i++)
        {
            var unit = new LogUnit();
            unit.Append(partition, Batches.At(Batches.Time + i, new string('x', 150)));
            await log.CommitAsync(unit, default);
        }
        return disk;
    }

    Task<LogStore> OpenAsync(SimulatedDisk disk)
        => LogStore.OpenAsync(new() { Directory = "/data", WalBytes = 4 << 20 }, NullLogger.Instance, _time, disk, default);
}
