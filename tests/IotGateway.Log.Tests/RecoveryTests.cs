using IotGateway.Log.Disk;
using IotGateway.Log.Tests.Disk;
using IotGateway.Log.Wal;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Tests;

/// <summary>Starts on damaged disks, and disks that fail under a running log.</summary>
public sealed class RecoveryTests
{
    const string First = "/data/wal/00.wal", Oldest = "/data/t-0/00000000000000000000.log";

    /// <summary>Rule 3: what is acknowledged at once is data only.</summary>
    [Theory, InlineData("os"), InlineData("interval:1h")]
    public async Task State_is_on_the_disk_before_it_is_acknowledged_whatever_the_durability_of_the_data_beside_it(string durability)
    {
        var disk = new SimulatedDisk();
        await using var log = await LogStore.OpenAsync(new() { Directory = "/data", WalBytes = 512 << 10 }, NullLogger.Instance, TimeProvider.System, disk, default);
        var topic = await log.CreateTopicAsync("t", 1, new() { Settings = new Dictionary<string, string> { ["iotgateway.durability"] = durability } }, default);
        for (byte i = 0; i < 20; i++)
        {
            var unit = new LogUnit();
            unit.Append(topic.Partitions[0], Batches.Of("record " + i));
            if (i % 2 == 0) unit.Put("positions", new byte[] { 1 }, new[] { i });
            await log.CommitAsync(unit, default);
            // The power goes here: of what is not synced nothing may be left.
            var cut = disk.Crash(new Random(i));
            await using var after = await LogStore.OpenAsync(new() { Directory = "/data", WalBytes = 512 << 10 }, NullLogger.Instance, TimeProvider.System, cut, default);
            Assert.True(after.Get("positions", new byte[] { 1 }) is { Length: 1 } kept && kept.Span[0] >= i - i % 2, $"Position {i} is gone.");
        }
    }

    [Fact]
    public async Task Cuts_a_torn_last_frame_wherever_it_ends_and_keeps_a_copy()
    {
        var (disk, frames) = await WithFramesAsync(3);
        var last = frames[^1];
        for (var length = 0; length < last.Header.Length; length++)
        {
            var torn = disk.Crash(new Random(1));
            var bytes = torn.Content(First).Bytes;
            bytes.AsSpan((int)last.Position + length, last.Header.Length - length).Fill(0xAA);
            await using var log = await OpenAsync(torn);
            // Even a frame whose last bytes happen to be right counts only when its checksum says so.
            Assert.Equal(2, log.Find("t")!.Partitions[0].HighWatermark);
            Assert.Empty(log.Quarantined);
            if (length >= FrameFormat.HeaderSize)
            {
                Assert.Single(torn.Files("/data/quarantine"));
                Assert.False(torn.Content(First).Bytes.AsSpan((int)last.Position, FrameFormat.HeaderSize).ContainsAnyExcept((byte)0), "It could be taken for a frame once more.");
            }
            Assert.Equal("value 1", (await log.Find("t")!.Partitions[0].ValuesAsync())[1]);
        }
    }

    [Fact]
    public async Task Cuts_a_torn_frame_that_nobody_was_promised_and_all_behind_it_though_that_is_whole()
    {
        var disk = new SimulatedDisk();
        var log = await OpenAsync(disk, new ManualTime());
        await log.CreateTopicAsync("t", 1, new() { Settings = new Dictionary<string, string> { ["iotgateway.durability"] = "os" } }, default);
        for (var i = 0; i < 4; i++) await CommitAsync(log, $"value {i}");
        // None of these four was synced; one power cut in some leaves them all.
        SimulatedDisk torn;
        IReadOnlyList<FoundFrame> frames;
        for (var seed = 0; ; seed++)
        {
            torn = disk.Crash(new Random(seed));
            frames = WalScan.Read(torn, "/data/wal", 0, default).Frames;
            if (frames.Count == 6) break; // start, topic, values
        }
        await log.DisposeAsync();
        torn.Content(First).Bytes[frames[^3].Position + 100] ^= 1; // value 1
        await using var again = await OpenAsync(torn, new ManualTime());
        var partition = again.Find("t")!.Partitions[0];
        Assert.Equal(["value 0"], await partition.ValuesAsync());
        Assert.Empty(again.Quarantined);
        Assert.Equal((1, 1), (partition.HighWatermark, partition.LeaderEpoch));
        Assert.Single(torn.Files("/data/quarantine"));
    }

    [Fact]
    public async Task Sets_aside_a_rotten_durable_frame_and_keeps_those_behind_it()
    {
        var (disk, frames) = await WithFramesAsync(5);
        var rotten = disk.Crash(new Random(1));
        rotten.Content(First).Bytes[frames[^4].Position + 100] ^= 1; // value 1 of 0 to 4
        await using (var log = await OpenAsync(rotten))
        {
            var partition = log.Find("t")!.Partitions[0];
            Assert.Equal(["value 0", "value 2", "value 3", "value 4"], await partition.ValuesAsync());
            Assert.Equal([0, 2, 3, 4], (await partition.RecordsAsync()).ConvertAll(r => r.Offset));
            Assert.Equal(2, log.Quarantined.Count);
            var hole = Assert.Single(log.Quarantined, q => q.Topic is not null);
            Assert.Equal(("t", 0, 1, 2), (hole.Topic!, hole.Partition, hole.FromOffset, hole.ToOffset));
            Assert.Single(rotten.Files("/data/quarantine"));
            Assert.Equal(1, partition.LeaderEpoch);
            await CommitAsync(log, "after");
            // Reading from inside the hole goes on behind it.
            Assert.Equal(["value 2", "value 3", "value 4", "after"], await partition.ValuesAsync(from: 1));
        }
        await using (var log = await OpenAsync(rotten))
        {
            Assert.Empty(log.Quarantined);
            Assert.Equal(5, (await log.Find("t")!.Partitions[0].ValuesAsync()).Count);
        }
    }

    [Fact]
    public async Task Tells_rot_of_the_very_last_frame_by_the_mark_of_an_idle_log()
    {
        var disk = new SimulatedDisk();
        var time = new ManualTime();
        var log = await OpenAsync(disk, time);
        await log.CreateTopicAsync("t", 1, new(), default);
        await CommitAsync(log, "last");
        time.Advance(TimeSpan.FromSeconds(2));
        var frames = await FramesAsync(disk, f => f[^1].Header.Length == FrameFormat.HeaderSize);
        var rotten = disk.Crash(new Random(1));
        await log.DisposeAsync();
        rotten.Content(First).Bytes[frames[^2].Position + 100] ^= 1;
        await using var again = await OpenAsync(rotten);
        Assert.Equal(frames[^2].Header.Sequence, Assert.Single(again.Quarantined).FirstSequence);
        Assert.Equal(1, again.Find("t")!.Partitions[0].LeaderEpoch);
    }

    [Fact]
    public async Task Refuses_entries_of_a_newer_version()
    {
        var (disk, frames) = await WithFramesAsync(1);
        var newer = disk.Crash(new Random(1));
        var bytes = newer.Content(First).Bytes;
        var frame = bytes.AsSpan((int)frames[^1].Position, frames[^1].Header.Length);
        frame[FrameFormat.HeaderSize] = 99;
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(frame[4..], Records.Crc32C.Of(frame[8..]));
        var refusal = await Assert.ThrowsAsync<LogFormatException>(() => OpenAsync(newer));
        Assert.Contains("kind 99", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refuses_a_damaged_state_file()
    {
        var (disk, _) = await WithFramesAsync(1);
        var damaged = disk.Crash(new Random(1));
        damaged.Content("/data/state").Bytes[^1] ^= 1;
        await Assert.ThrowsAsync<LogFormatException>(() => OpenAsync(damaged));
    }

    [Theory]
    [InlineData("sync", ".wal")]
    [InlineData("write", ".wal")]
    [InlineData("write", ".log")]
    public async Task Fails_for_good_when_the_disk_fails_and_has_all_acknowledged_at_the_next_start(string operation, string file)
    {
        var disk = new SimulatedDisk();
        await using var log = await OpenAsync(disk);
        await log.CreateTopicAsync("t", 1, new(), default);
        await CommitAsync(log, "safe");
        var failures = 0;
        // Not those of the write-ahead files that are made in the background meanwhile.
        disk.Fault = (op, path) => op == operation && path.EndsWith(file, StringComparison.Ordinal) && Thread.CurrentThread.Name != "log housekeeper" && failures++ == 0
            ? new DiskException(op, path, 5, "Input/output error") : null;
        await Assert.ThrowsAsync<LogFailedException>(() => CommitAsync(log, "not acknowledged"));
        await log.Failed.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.False(log.Accepting);
        // The disk would work again, but what it lost is not known: nothing is tried twice.
        await Assert.ThrowsAsync<LogFailedException>(() => CommitAsync(log, "refused"));
        Assert.Equal(1, failures);
        await log.DisposeAsync();
        await using var again = await OpenAsync(disk.Crash(new Random(3)));
        Assert.Equal("safe", (await again.Find("t")!.Partitions[0].ValuesAsync())[0]);
    }

    [Fact]
    public async Task Refuses_units_while_the_disk_is_full_but_takes_reserved_ones_and_recovers_by_itself()
    {
        var disk = new SimulatedDisk();
        await using var log = await OpenAsync(disk);
        var topic = await log.CreateTopicAsync("t", 1, new(), default);
        disk.Free = 1 << 20;
        var unit = new LogUnit { Reserved = true };
        await WaitAsync(() => !log.Accepting, async () =>
        {
            try
            {
                await CommitAsync(log, "x");
            }
            catch (LogFullException) { }
        });
        await Assert.ThrowsAsync<LogFullException>(() => CommitAsync(log, "refused"));
        unit.Append(topic.Partitions[0], Batches.Of("gap"));
        Assert.Equal(AppendError.None, (await log.CommitAsync(unit, default))[0].Error);
        disk.Free = long.MaxValue;
        await WaitAsync(() => log.Accepting, async () =>
        {
            try
            {
                await CommitAsync(log, "back");
            }
            catch (LogFullException) { }
        });
        var values = await topic.Partitions[0].ValuesAsync();
        Assert.Contains("gap", values);
        Assert.DoesNotContain("refused", values);
    }

    [Fact]
    public async Task Holds_a_write_that_finds_no_space_and_repeats_it_when_there_is()
    {
        var disk = new SimulatedDisk();
        await using var log = await OpenAsync(disk);
        await log.CreateTopicAsync("t", 1, new(), default);
        var full = true;
        disk.Fault = (op, path) => full && op == "write" && path.EndsWith(".log", StringComparison.Ordinal)
            ? new DiskException(op, path, 28, "No space left on device") : null;
        var held = CommitAsync(log, "held");
        await WaitAsync(() => !log.Accepting, () => Task.Delay(5, TestContext.Current.CancellationToken));
        Assert.False(held.IsCompleted);
        full = false;
        await held.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(["held"], await log.Find("t")!.Partitions[0].ValuesAsync());
    }

    [Fact]
    public async Task Waits_for_a_checkpoint_when_the_write_ahead_log_is_full_and_loses_nothing()
    {
        var disk = new SimulatedDisk();
        await using (var log = await OpenAsync(disk))
        {
            var topic = await log.CreateTopicAsync("t", 1, new(), default);
            var value = new string('x', 10_000);
            for (var i = 0; i < 400; i++) await CommitAsync(log, $"{i}{value}");
            Assert.True(log.Figures.Checkpoints > 3);
            Assert.Equal(400, topic.Partitions[0].HighWatermark);
        }
        await using var again = await OpenAsync(disk.Crash(new Random(1)));
        Assert.Equal(400, (await again.Find("t")!.Partitions[0].ValuesAsync()).Count);
    }

    [Fact]
    public async Task A_start_touches_no_segment_that_its_frames_do_not_and_unpacks_none()
    {
        var (disk, time) = (new SimulatedDisk(), new ManualTime()); // none passes
        var log = await OpenAsync(disk, time);
        var topic = await log.CreateTopicAsync("t", 20, new() { Settings = new Dictionary<string, string> { ["segment.bytes"] = "200" } }, default);
        for (var i = 0; i < 100; i++) await CommitAsync(log, topic.Partitions[i % 20], $"value {i}");
        var checkpoints = log.Figures.Checkpoints;
        log.RequestCheckpoint();
        await WaitAsync(() => log.Figures.Checkpoints > checkpoints, Pause);
        await CommitAsync(log, topic.Partitions[7], "replayed");
        var killed = disk.Crash(new Random(1));
        await log.DisposeAsync();
        var touched = new List<string>();
        killed.Fault = (_, path) =>
        {
            if (path.StartsWith("/data/t-", StringComparison.Ordinal)) lock (touched) touched.Add(path.Split('/')[2]);
            return null;
        };
        await using var again = await OpenAsync(killed, time);
        lock (touched) Assert.Equal(["t-7"], touched.Distinct());
        topic = again.Find("t")!;
        Assert.Equal([7], topic.Partitions.Where(p => p.Files.Packed is null).Select(p => p.Index));
        Assert.Equal(["value 3", "value 23", "value 43", "value 63", "value 83"], await topic.Partitions[3].ValuesAsync());
        Assert.Equal("replayed", (await topic.Partitions[7].ValuesAsync())[^1]);
        Assert.Null(topic.Partitions[3].Files.Packed);
    }

    // Where the append comes before anybody has looked, where the looking comes first, and where frames are replayed into it.
    [Theory]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public async Task Goes_on_behind_what_is_left_of_a_segment_that_lost_durable_bytes(bool appendFirst, bool replay)
    {
        var disk = new SimulatedDisk();
        var before = await OpenAsync(disk);
        await before.CreateTopicAsync("t", 1, new(), default);
        for (var i = 0; i < 3; i++) await CommitAsync(before, $"value {i}");
        var checkpoints = before.Figures.Checkpoints;
        before.RequestCheckpoint();
        await WaitAsync(() => before.Figures.Checkpoints > checkpoints, Pause);
        var size = disk.Content(Oldest).Bytes.Length;
        if (replay) await CommitAsync(before, "replayed");
        else await before.DisposeAsync();
        var shortened = disk.Crash(new Random(1));
        if (replay) await before.DisposeAsync();
        using (var file = shortened.Open(Oldest, create: false)) file.SetLength(size - 10);
        var time = new ManualTime();
        await using (var log = await OpenAsync(shortened, time))
        {
            if (appendFirst) await CommitAsync(log, "after");
            else if (!replay) time.Advance(TimeSpan.FromSeconds(11)); // that is when the folders are looked at
            await WaitAsync(() => log.Quarantined.Count > 0, Pause);
            var hole = Assert.Single(log.Quarantined);
            Assert.Equal(("t", 2, 3), (hole.Topic!, hole.FromOffset, hole.ToOffset));
            if (!appendFirst && !replay) await CommitAsync(log, "after");
            Assert.Equal([0, 1, 3], (await log.Find("t")!.Partitions[0].RecordsAsync()).ConvertAll(r => r.Offset));
        }
        Assert.Empty(Inspection.LogInspector.Verify("/data", shortened, default).Findings);
        await using var again = await OpenAsync(shortened);
        Assert.Equal([0, 1, 3], (await again.Find("t")!.Partitions[0].RecordsAsync()).ConvertAll(r => r.Offset));
    }

    static Task Pause() => Task.Delay(5, TestContext.Current.CancellationToken);

    [Fact]
    public async Task Opens_or_refuses_whatever_bytes_the_write_ahead_log_has()
    {
        var (disk, _) = await WithFramesAsync(12);
        for (var seed = 1; seed <= 300; seed++)
        {
            var random = new Random(seed);
            var mutated = disk.Crash(random);
            var bytes = mutated.Content(First).Bytes;
            for (var i = random.Next(1, 20); i > 0; i--)
            {
                var at = random.Next(bytes.Length);
                if (random.Next(2) == 0) at = random.Next(16) * FrameFormat.Page + random.Next(60); // headers
                bytes[at % bytes.Length] = (byte)random.Next(256);
            }
            try
            {
                await using var log = await OpenAsync(mutated);
                // Only the order can be trusted; each value is one of those written.
                if (log.Find("t") is { } topic)
                    Assert.All(await topic.Partitions[0].RecordsAsync(), r => Assert.Equal($"value {r.Offset}", System.Text.Encoding.UTF8.GetString(r.Value!.Value.Span)));
            }
            catch (LogFormatException) { }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}: {e}");
            }
        }
    }

    static async Task WaitAsync(Func<bool> condition, Func<Task> meanwhile)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!condition() && TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(10)) await meanwhile();
        Assert.True(condition(), "The condition never came.");
    }

    // A log that lost power after so many single-record units, and its frames.
    static async Task<(SimulatedDisk, IReadOnlyList<FoundFrame>)> WithFramesAsync(int units)
    {
        var disk = new SimulatedDisk();
        var log = await OpenAsync(disk);
        await log.CreateTopicAsync("t", 1, new(), default);
        for (var i = 0; i < units; i++) await CommitAsync(log, $"value {i}");
        var after = disk.Crash(new Random(1));
        await log.DisposeAsync();
        return (after, WalScan.Read(after, "/data/wal", 0, default).Frames);
    }

    static Task CommitAsync(LogStore log, string value) => CommitAsync(log, log.Find("t")!.Partitions[0], value);

    static async Task CommitAsync(LogStore log, Partition partition, string value)
    {
        var unit = new LogUnit();
        unit.Append(partition, Batches.Of(value));
        Assert.Equal(AppendError.None, (await log.CommitAsync(unit, default))[0].Error);
    }

    static async Task<IReadOnlyList<FoundFrame>> FramesAsync(SimulatedDisk disk, Func<IReadOnlyList<FoundFrame>, bool> until)
    {
        for (var i = 0; i < 1000; i++)
        {
            var frames = WalScan.Read(disk.Crash(new Random(i)), "/data/wal", 0, default).Frames;
            if (until(frames)) return frames;
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
        throw new TimeoutException("The frames never came.");
    }

    static Task<LogStore> OpenAsync(SimulatedDisk disk, TimeProvider? time = null)
        => LogStore.OpenAsync(new() { Directory = "/data", WalBytes = 512 << 10 }, NullLogger.Instance, time ?? TimeProvider.System, disk, default);
}
