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
        FrameFormat.Seal(frame, new(Sequence: 9, DurableSequence: 8, Salt: 1111, Time: 0), []);
        Assert.True(FrameFormat.ChecksumHolds(frame.Written.Span));
        Assert.Equal(9, FrameFormat.ReadHeader(frame.Written.Span, salt: 1111, room: 4096)!.Value.Sequence);
        Assert.Null(FrameFormat.ReadHeader(frame.Written.Span, salt: 2222, room: 4096));
    }

    /// <summary>The checksum of a frame is made from those of its large batches, which the check on the way in has seen to be right.</summary>
    [Theory, InlineData("message.timestamp.type", "CreateTime"), InlineData("message.timestamp.type", "LogAppendTime"), InlineData("compression.type", "gzip")]
    public async Task A_frames_checksum_is_right_with_batches_large_and_small_and_changed_on_the_way(string setting, string value)
    {
        var disk = new SimulatedDisk();
        var random = new Random(8);
        string[] values = [.. Enumerable.Range(0, 6).Select(i => Convert.ToBase64String(RandomBytes(random, i % 2 == 0 ? 14_000 + (6_000 * i) : 50)))];
        await using (var log = await OpenAsync(disk, 1 << 20))
        {
            var partition = (await log.CreateTopicAsync("t", 1, new() { Settings = new Dictionary<string, string> { [setting] = value } }, default)).Partitions[0];
            var unit = new LogUnit();
            byte[] two = [.. Batches.Of(values[0]), .. Batches.Of(values[1])];
            unit.Append(partition, two);
            foreach (var text in values[2..]) unit.Append(partition, Batches.Of(text));
            foreach (var result in await log.CommitAsync(unit, default)) Assert.Equal(AppendError.None, result.Error);
            disk = disk.Crash(new Random(1));
        }
        var frames = WalScan.Read(disk, "/data/wal", 0, default).Frames;
        Assert.Equal(3, frames.Count); // start, topic, the batches
        await using var after = await OpenAsync(disk, 1 << 20);
        Assert.Equal(values, await after.Find("t")!.Partitions[0].ValuesAsync());
        Assert.Empty(after.Quarantined);
    }

    static byte[] RandomBytes(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    static Task<LogStore> OpenAsync(SimulatedDisk disk, long walBytes = 512 << 10)
        => LogStore.OpenAsync(new() { Directory = "/data", WalBytes = walBytes }, NullLogger.Instance, TimeProvider.System, disk, default);
}
