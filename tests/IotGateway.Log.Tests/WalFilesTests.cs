using IotGateway.Log.Bytes;
using IotGateway.Log.Tests.Disk;
using IotGateway.Log.Wal;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Tests;

/// <summary>The write-ahead log's files: a fixed set, made once and used again and again.</summary>
public sealed class WalFilesTests
{
    [Fact]
    public async Task Are_a_fixed_set_that_is_recycled_and_never_grows()
    {
        var disk = new SimulatedDisk();
        await using var log = await OpenAsync(disk);
        var partition = (await log.CreateTopicAsync("t", 1, new(), default)).Partitions[0];
        var unit = new LogUnit();
        unit.Append(partition, Batches.Of(new string('x', 10_000)));
        for (var i = 0; i < 2000 && disk.Files("/data/wal").Count < WalFiles.Count; i++) await Task.Delay(1, TestContext.Current.CancellationToken);
        var made = disk.Files("/data/wal").ToDictionary(f => f, f => disk.Content("/data/wal/" + f));
        for (var i = 0; i < 200; i++) await log.CommitAsync(unit, default);
        Assert.True(log.Figures.WalBytes > 2 * (512 << 10), "The test wants each file to be used several times.");
        var files = disk.Files("/data/wal");
        Assert.Equal(WalFiles.Count, files.Count);
        Assert.All(files, f => Assert.Equal(64 << 10, disk.Content("/data/wal/" + f).Bytes.Length));
        Assert.All(files, f => Assert.Same(made[f], disk.Content("/data/wal/" + f)));
    }

    [Fact]
    public async Task Need_no_space_for_a_start_once_they_are_there()
    {
        var disk = new SimulatedDisk();
        await using (var log = await OpenAsync(disk)) await log.CreateTopicAsync("t", 1, new(), default);
        for (var i = 0; i < 2000 && disk.Files("/data/wal").Count < WalFiles.Count; i++) await Task.Delay(1, TestContext.Current.CancellationToken);
        var made = new List<string>();
        disk.Fault = (operation, path) =>
        {
            if (operation is "write" && path.EndsWith(".wal", StringComparison.Ordinal)) lock (made) made.Add(path);
            return null;
        };
        await using var again = await OpenAsync(disk);
        // Only the file that is used now.
        Assert.Single(made.Distinct());
    }

    [Fact]
    public void A_frame_of_a_files_former_use_is_none()
    {
        var frame = new ByteWriter(FrameFormat.HeaderSize);
        frame.MoveTo(FrameFormat.HeaderSize);
        FrameFormat.Seal(frame, new(Sequence: 9, DurableSequence: 8, Salt: 1111, Time: 0));
        Assert.True(FrameFormat.ChecksumHolds(frame.Written.Span));
        Assert.Equal(9, FrameFormat.ReadHeader(frame.Written.Span, salt: 1111, room: 4096)!.Value.Sequence);
        Assert.Null(FrameFormat.ReadHeader(frame.Written.Span, salt: 2222, room: 4096));
    }

    static Task<LogStore> OpenAsync(SimulatedDisk disk)
        => LogStore.OpenAsync(new() { Directory = "/data", WalBytes = 512 << 10 }, NullLogger.Instance, TimeProvider.System, disk, default);
}
