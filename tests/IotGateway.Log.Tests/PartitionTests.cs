using IotGateway.Log.Tests.Disk;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Tests;

/// <summary>What a partition answers: sequences, times, epochs, retention, durability.</summary>
public sealed class PartitionTests
{
    readonly ManualTime _time = new();
    readonly SimulatedDisk _disk = new();

    [Fact]
    public async Task Answers_a_repeated_batch_with_its_first_offsets_also_after_a_restart()
    {
        await using (var log = await OpenAsync(_disk))
        {
            var partition = (await log.CreateTopicAsync("t", 1, new(), default)).Partitions[0];
            Assert.Equal(new(AppendError.None, 0, 1, -1), await AppendAsync(log, partition, Batches.Idempotent(7, 0, 0, "a", "b")));
            Assert.Equal(new(AppendError.None, 2, 2, -1), await AppendAsync(log, partition, Batches.Idempotent(7, 0, 2, "c")));
            Assert.Equal(new(AppendError.DuplicateSequence, 0, 1, -1), await AppendAsync(log, partition, Batches.Idempotent(7, 0, 0, "a", "b")));
            Assert.Equal(AppendError.OutOfOrderSequence, (await AppendAsync(log, partition, Batches.Idempotent(7, 0, 4, "e"))).Error);
        }
        var crashed = _disk.Crash(new Random(1));
        await using (var log = await OpenAsync(crashed))
        {
            var partition = log.Find("t")!.Partitions[0];
            Assert.Equal(new(AppendError.DuplicateSequence, 2, 2, -1), await AppendAsync(log, partition, Batches.Idempotent(7, 0, 2, "c")));
            Assert.Equal(new(AppendError.None, 3, 3, -1), await AppendAsync(log, partition, Batches.Idempotent(7, 1, 0, "new epoch")));
            Assert.Equal(AppendError.InvalidProducerEpoch, (await AppendAsync(log, partition, Batches.Idempotent(7, 0, 3, "d"))).Error);
            // Six batches later the first is no longer known as a duplicate: out of order, never appended again.
            for (var i = 1; i <= 5; i++) Assert.Equal(AppendError.None, (await AppendAsync(log, partition, Batches.Idempotent(7, 1, i, "x"))).Error);
            Assert.Equal(AppendError.OutOfOrderSequence, (await AppendAsync(log, partition, Batches.Idempotent(7, 1, 0, "new epoch"))).Error);
        }
    }

    [Fact]
    public async Task Wraps_sequences_as_Kafka_does()
    {
        await using var log = await OpenAsync(_disk);
        var partition = (await log.CreateTopicAsync("t", 1, new(), default)).Partitions[0];
        Assert.Equal(AppendError.None, (await AppendAsync(log, partition, Batches.Idempotent(7, 0, int.MaxValue - 1, "a", "b", "c"))).Error);
        Assert.Equal(AppendError.None, (await AppendAsync(log, partition, Batches.Idempotent(7, 0, 1, "d"))).Error);
    }

    [Fact]
    public async Task Writes_nothing_of_a_unit_of_which_one_part_is_refused()
    {
        await using var log = await OpenAsync(_disk);
        var topic = await log.CreateTopicAsync("t", 2, new(), default);
        var unit = new LogUnit();
        var corrupt = Batches.Of("b");
        corrupt[^1] ^= 1;
        unit.Append(topic.Partitions[0], Batches.Of("a"));
        unit.Append(topic.Partitions[1], corrupt);
        unit.Put("table", new byte[1], new byte[1]);
        Assert.Equal([AppendError.NotWritten, AppendError.CorruptBatch], (await log.CommitAsync(unit, default)).Select(r => r.Error));
        Assert.Equal(0, topic.Partitions[0].HighWatermark);
        Assert.Null(log.Get("table", new byte[1]));
    }

    [Fact]
    public async Task Finds_records_by_time_through_several_segments()
    {
        await using var log = await OpenAsync(_disk);
        var partition = (await log.CreateTopicAsync("t", 1, Config(("segment.bytes", "3000")), default)).Partitions[0];
        Assert.Null(await partition.FindMaxTimestampAsync(default));
        for (var i = 0; i < 300; i++) await AppendAsync(log, partition, Batches.At(Batches.Time + i * 10, $"{i}"));
        Assert.True(partition.Files.Segments.Length > 5);
        for (var i = 0; i < 300; i += 7)
        {
            Assert.Equal(i, (await partition.FindByTimeAsync(Batches.Time + i * 10, default))!.Value.Offset);
            Assert.Equal(i + 1 < 300 ? i + 1 : null, (await partition.FindByTimeAsync(Batches.Time + i * 10 + 1, default))?.Offset);
        }
        Assert.Equal(new OffsetAtTime(299, Batches.Time + 2990, 0), await partition.FindMaxTimestampAsync(default));
        Assert.Null(await partition.FindByTimeAsync(Batches.Time + 2991, default));
    }

    [Fact]
    public async Task Reads_from_every_offset_the_batch_that_holds_it()
    {
        await using var log = await OpenAsync(_disk);
        var partition = (await log.CreateTopicAsync("t", 1, Config(("segment.bytes", "5000")), default)).Partitions[0];
        for (var i = 0; i < 60; i++) await AppendAsync(log, partition, Batches.Of([.. Enumerable.Range(0, i % 5 + 1).Select(n => new string('x', i * 7))]));
        for (long offset = 0; offset < partition.HighWatermark; offset++)
        {
            var slice = await partition.ReadAsync(offset, 1, default);
            var batch = new Records.RecordBatch(slice.Batches.Span);
            Assert.True(batch.BaseOffset <= offset && batch.LastOffset >= offset && batch.Size == slice.Batches.Length);
        }
        Assert.True((await partition.ReadAsync(partition.HighWatermark, 1, default)).Batches.IsEmpty);
        await Assert.ThrowsAsync<OffsetOutOfRangeException>(async () => await partition.ReadAsync(partition.HighWatermark + 1, 1, default));
    }

    [Fact]
    public async Task Lets_old_segments_go_by_age_size_and_request_and_their_files_too()
    {
        await using var log = await OpenAsync(_disk);
        var topic = await log.CreateTopicAsync("t", 1, Config(("segment.bytes", "1000"), ("retention.ms", "60000")), default);
        var partition = topic.Partitions[0];
        // Stamped far in the future: kept no longer than others.
        for (var i = 0; i < 50; i++) await AppendAsync(log, partition, Batches.At(Batches.Time * 2, new string('x', 100)));
        Assert.Equal(0, await log.ApplyRetentionAsync(default));
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(1, await log.ApplyRetentionAsync(default));
        Assert.Single(partition.Files.Segments);
        Assert.True(partition.LogStart > 0);
        await Assert.ThrowsAsync<OffsetOutOfRangeException>(async () => await partition.ReadAsync(0, 1, default));
        await WaitAsync(() => _disk.Files("/data/t-0").Count == 4); // three of the segment, and the metadata

        await log.SetConfigAsync(topic.Id, Config(("segment.bytes", "1000"), ("retention.bytes", "3000")), default);
        for (var i = 0; i < 50; i++) await AppendAsync(log, partition, Batches.Of(new string('x', 100)));
        await log.ApplyRetentionAsync(default);
        Assert.InRange(partition.SizeBytes, 3000, 4000);

        Assert.Equal(partition.HighWatermark, await partition.DeleteRecordsAsync(-1, default));
        Assert.Equal(partition.HighWatermark, partition.LogStart);
        var start = partition.LogStart;
        await log.DisposeAsync();
        await using var again = await OpenAsync(_disk.Crash(new Random(1)));
        Assert.Equal(start, again.Find("t")!.Partitions[0].LogStart);
    }

    [Fact]
    public async Task Rolls_a_segment_by_age()
    {
        await using var log = await OpenAsync(_disk);
        var partition = (await log.CreateTopicAsync("t", 1, Config(("segment.ms", "60000")), default)).Partitions[0];
        await AppendAsync(log, partition, Batches.Of("a"));
        _time.Advance(TimeSpan.FromSeconds(59));
        await AppendAsync(log, partition, Batches.Of("b"));
        Assert.Single(partition.Files.Segments);
        _time.Advance(TimeSpan.FromSeconds(1));
        await AppendAsync(log, partition, Batches.Of("c"));
        Assert.Equal([0, 2], partition.Files.Segments.Select(s => s.BaseOffset));
    }

    [Theory]
    [InlineData("os")]
    [InlineData("interval:200ms")]
    public async Task Acknowledges_and_serves_unsynced_data_from_memory_and_syncs_it_in_time(string durability)
    {
        await using var log = await OpenAsync(_disk);
        var partition = (await log.CreateTopicAsync("t", 1, Config(("iotgateway.durability", durability)), default)).Partitions[0];
        var syncs = log.Figures.Syncs;
        for (var i = 0; i < 20; i++) await AppendAsync(log, partition, Batches.Of($"{i}"));
        Assert.Equal(syncs, log.Figures.Syncs);
        Assert.Equal(0, partition.SizeBytes);
        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"{i}"), await partition.ValuesAsync(maxBytes: 100));
        Assert.Equal(0, (await partition.FindByTimeAsync(Batches.Time, default))!.Value.Offset);
        await AdvanceAsync(() => partition.SizeBytes > 0);
        Assert.Equal(syncs + 1, log.Figures.Syncs);
        Assert.Equal(20, (await partition.ValuesAsync()).Count);
    }

    [Fact]
    public async Task Begins_a_new_leader_epoch_when_seen_offsets_may_be_gone()
    {
        var log = await OpenAsync(_disk);
        var config = Config(("iotgateway.durability", "os"));
        var partition = (await log.CreateTopicAsync("t", 1, config, default)).Partitions[0];
        await AppendAsync(log, partition, Batches.Of("synced"));
        await AdvanceAsync(() => partition.SizeBytes > 0);
        await AppendAsync(log, partition, Batches.Of("seen, then lost"));
        Assert.Equal(2, partition.HighWatermark);
        SimulatedDisk crashed;
        for (var seed = 0; ; seed++)
        {
            crashed = _disk.Crash(new Random(seed));
            if (Wal.WalScan.Read(crashed, "/data/wal", 0, default).Frames.Count == 3) break; // start, topic, synced
        }
        await log.DisposeAsync();
        await using var again = await OpenAsync(crashed);
        partition = again.Find("t")!.Partitions[0];
        Assert.Equal((1, 1), (partition.HighWatermark, partition.LeaderEpoch));
        Assert.Equal((0, 1), partition.EndOfEpoch(0));
        await AppendAsync(again, partition, Batches.Of("another"));
        Assert.Equal((1, 2), partition.EndOfEpoch(1));
        Assert.Null(partition.EndOfEpoch(2));
        Assert.Equal(1, new Records.RecordBatch((await partition.ReadAsync(1, 1, default)).Batches.Span).LeaderEpoch);
    }

    [Fact]
    public async Task Stamps_batches_where_the_topic_says_so()
    {
        await using var log = await OpenAsync(_disk);
        var partition = (await log.CreateTopicAsync("t", 1, Config(("message.timestamp.type", "LogAppendTime")), default)).Partitions[0];
        var result = await AppendAsync(log, partition, Batches.At(5, "a", "b"));
        Assert.Equal(_time.GetUtcNow().ToUnixTimeMilliseconds(), result.LogAppendTime);
        var batch = (await partition.ReadAsync(0, 1000, default)).Batches;
        Assert.True(new Records.RecordBatch(batch.Span).ChecksumHolds);
        Assert.All(await partition.RecordsAsync(), r => Assert.Equal(result.LogAppendTime, r.Timestamp));
    }

    [Fact]
    public async Task Tells_watchers_of_new_data_and_of_the_end()
    {
        await using var log = await OpenAsync(_disk);
        var topic = await log.CreateTopicAsync("t", 1, new(), default);
        var watcher = new Watcher();
        topic.Partitions[0].Watch(watcher);
        var batch = Batches.Of("a");
        await AppendAsync(log, topic.Partitions[0], batch);
        await log.DeleteTopicAsync(topic.Id, default);
        Assert.Equal([batch.Length, 0], watcher.Told);
        Assert.True(topic.Deleted);
        var unit = new LogUnit();
        unit.Append(topic.Partitions[0], batch);
        Assert.Equal(AppendError.UnknownPartition, (await log.CommitAsync(unit, default))[0].Error);
    }

    static TopicConfig Config(params (string Name, string Value)[] settings)
        => new() { Settings = settings.ToDictionary(s => s.Name, s => s.Value) };

    static async Task<AppendResult> AppendAsync(LogStore log, Partition partition, byte[] batch)
    {
        var unit = new LogUnit();
        unit.Append(partition, batch);
        return (await log.CommitAsync(unit, default))[0];
    }

    // The append is answered before the committer sets its timer: a second that passes in between passes unseen.
    async Task AdvanceAsync(Func<bool> condition)
    {
        for (var second = 0; second < 20 && !condition(); second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            for (var i = 0; i < 250 && !condition(); i++) await Task.Delay(2, TestContext.Current.CancellationToken);
        }
        Assert.True(condition(), "The condition never came.");
    }

    static async Task WaitAsync(Func<bool> condition)
    {
        for (var i = 0; i < 2000 && !condition(); i++) await Task.Delay(2, TestContext.Current.CancellationToken);
        Assert.True(condition(), "The condition never came.");
    }

    Task<LogStore> OpenAsync(SimulatedDisk disk)
        => LogStore.OpenAsync(new() { Directory = "/data", WalBytes = 512 << 10 }, NullLogger.Instance, _time, disk, default);

    sealed class Watcher : IPartitionWatcher
    {
        public List<int> Told { get; } = [];

        public void Advanced(Partition partition, int bytes) => Told.Add(bytes);
    }
}
