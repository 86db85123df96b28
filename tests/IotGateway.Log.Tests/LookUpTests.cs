using IotGateway.Log.Records;
using IotGateway.Log.Records.Packers;
using IotGateway.Log.Tests.Disk;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Tests;

/// <summary>Rule 7's last sentence, and reads by offset and by time: how few files are opened and how little is read of them.</summary>
public sealed class LookUpTests
{
    const int Segments = 12, PerSegment = 250;

    readonly ManualTime _time = new();
    SimulatedDisk _disk = new();

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_start_opens_no_sealed_segment(bool clean)
    {
        var log = await FilledAsync();
        var sealedOnes = log.Find("t")!.Partitions[0].Files.Segments[..^1].SelectMany(s => s.Paths).ToHashSet();
        Assert.True(sealedOnes.Count > 40);
        if (!clean)
        {
            // Frames behind the last checkpoint are replayed into the active segment. Of two checkpoints asked for one after the other the second has all.
            for (var wanted = 2; wanted > 0; wanted--)
            {
                var before = log.Figures.Checkpoints;
                log.RequestCheckpoint();
                for (var i = 0; i < 20_000 && log.Figures.Checkpoints == before; i++) await Task.Delay(1, TestContext.Current.CancellationToken);
            }
            await AppendAsync(log.Find("t")!.Partitions[0], Segments * PerSegment);
            _disk.PowerOffAt = 0;
        }
        await log.DisposeAsync();
        _disk = _disk.Crash(new Random(1));
        var opened = new HashSet<string>();
        _disk.Fault = (operation, path) =>
        {
            if (operation is "open" or "read") lock (opened) opened.Add(path);
            return null;
        };
        await using var again = await OpenAsync();
        Assert.Equal(Segments * PerSegment + (clean ? 0 : 1), again.Find("t")!.Partitions[0].HighWatermark);
        lock (opened) Assert.Empty(opened.Intersect(sealedOnes));
    }

    [Fact]
    public async Task A_look_up_by_time_or_offset_opens_the_files_of_one_segment_and_reads_little()
    {
        await (await FilledAsync()).DisposeAsync();
        _disk = _disk.Crash(new Random(1));
        await using var log = await OpenAsync();
        var partition = log.Find("t")!.Partitions[0];
        Assert.True(partition.Files.Segments.Length >= Segments);
        var opened = new HashSet<string>();
        var reads = 0;
        _disk.Fault = (operation, path) =>
        {
            lock (opened)
            {
                if (path.StartsWith("/data/t-0", StringComparison.Ordinal) && operation == "open") opened.Add(path);
                if (path.StartsWith("/data/t-0", StringComparison.Ordinal) && operation == "read") reads++;
            }
            return null;
        };
        var random = new Random(7);
        for (var i = 0; i < 50; i++)
        {
            var offset = random.Next(Segments * PerSegment);
            reads = 0;
            lock (opened) opened.Clear();
            Assert.Equal((offset, TimeOf(offset)), await partition.FindByTimeAsync(TimeOf(offset) - 3, default) is { } found ? (found.Offset, found.Timestamp) : default);
            lock (opened) Assert.True(opened.Select(p => Path.GetFileNameWithoutExtension(p)).Distinct().Count() <= 1 && reads <= 70, $"{reads} reads of {string.Join(' ', opened)}.");
            reads = 0;
            lock (opened) opened.Clear();
            Assert.False((await partition.ReadAsync(offset, 1, default)).Batches.IsEmpty);
            lock (opened) Assert.True(opened.Select(p => Path.GetFileNameWithoutExtension(p)).Distinct().Count() <= 1 && reads <= 40, $"{reads} reads of {string.Join(' ', opened)}.");
        }
        reads = 0;
        Assert.Null(await partition.FindByTimeAsync(TimeOf(Segments * PerSegment), default));
        Assert.Equal(0, reads);
    }

    [Fact]
    public async Task A_look_up_by_time_passes_over_markers()
    {
        await using var log = await OpenAsync();
        var partition = (await log.CreateTopicAsync("t", 1, new(), default)).Partitions[0];
        await CommitAsync(partition, Batches.Transactional(7, 0, 0, "a"));
        _time.Advance(TimeSpan.FromHours(1));
        var end = new LogUnit();
        end.EndTransaction(7, 0, commit: true, [partition]);
        await log.CommitAsync(end, default);
        await CommitAsync(partition, Batches.At(Batches.Time + 60_000, "b"));
        // The marker at offset 1 is later than both.
        Assert.Equal(2, (await partition.FindByTimeAsync(Batches.Time + 1, default))!.Value.Offset);
        Assert.Null(await partition.FindByTimeAsync(Batches.Time + 60_001, default));
        Assert.Equal(2, (await partition.FindMaxTimestampAsync(default))!.Value.Offset);
    }

    [Theory]
    [InlineData(Compression.Gzip)]
    [InlineData(Compression.Snappy)]
    [InlineData(Compression.Lz4)]
    [InlineData(Compression.Zstd)]
    public async Task A_look_up_by_time_finds_the_record_inside_a_packed_batch(Compression compression)
    {
        await using var log = await OpenAsync();
        var partition = (await log.CreateTopicAsync("t", 1, new(), default)).Partitions[0];
        var builder = new RecordBatchBuilder();
        for (var i = 0; i < 10; i++) builder.Add(Batches.Time + i, default, new byte[100], hasKey: false);
        for (var n = 0; n < 3; n++) await CommitAsync(partition, BatchPacker.Pack(builder.Build().ToArray(), new(compression, 3), 1 << 20)!.Value.ToArray());
        Assert.Equal(new OffsetAtTime(7, Batches.Time + 7, 0), await partition.FindByTimeAsync(Batches.Time + 7, default));
        Assert.Equal(new OffsetAtTime(9, Batches.Time + 9, 0), await partition.FindMaxTimestampAsync(default));
    }

    [Fact]
    public async Task The_index_interval_of_the_topic_decides_how_many_entries_there_are()
    {
        await using var log = await OpenAsync();
        var entries = new List<long>();
        foreach (var interval in (string[])["0", "4096"])
        {
            var topic = await log.CreateTopicAsync("t" + interval, 1, new() { Settings = new Dictionary<string, string> { ["index.interval.bytes"] = interval } }, default);
            for (var i = 0; i < 200; i++) await CommitAsync(topic.Partitions[0], Batches.Of(new string('x', 100)));
            entries.Add(topic.Partitions[0].Files.Segments[0].IndexBytes / 8);
        }
        Assert.Equal(199, entries[0]);
        Assert.InRange(entries[1], 4, 10);
    }

    /// <summary>Segments of topics made together are not all closed at once.</summary>
    [Fact]
    public void Jitter_closes_segments_earlier_by_up_to_its_length_and_never_later()
    {
        var rules = TopicRules.Parse(new() { Settings = new Dictionary<string, string> { ["segment.ms"] = "100000", ["segment.jitter.ms"] = "40000" } });
        var ages = Enumerable.Range(0, 1000).Select(i => rules.SegmentAge(i * 1000)).ToList();
        Assert.All(ages, a => Assert.InRange(a, 60_001, 100_000));
        Assert.True(ages.Max() - ages.Min() > 30_000);
        Assert.Equal(100_000, TopicRules.Parse(new() { Settings = new Dictionary<string, string> { ["segment.ms"] = "100000" } }).SegmentAge(17));
    }

    static long TimeOf(int offset) => Batches.Time + offset * 10L;

    async Task<LogStore> FilledAsync()
    {
        var log = await OpenAsync();
        var partition = (await log.CreateTopicAsync("t", 1, new() { Settings = new Dictionary<string, string> { ["segment.bytes"] = "58000", ["retention.ms"] = "-1" } }, default)).Partitions[0];
        for (var i = 0; i < Segments * PerSegment; i++) await AppendAsync(partition, i);
        log.RequestCheckpoint();
        return log;
    }

    static Task AppendAsync(Partition partition, int i) => CommitAsync(partition, Batches.At(TimeOf(i), new string('x', 170)));

    static async Task CommitAsync(Partition partition, byte[] batch)
    {
        var unit = new LogUnit();
        unit.Append(partition, batch);
        Assert.Equal(AppendError.None, (await partition.Store.CommitAsync(unit, default))[0].Error);
    }

    Task<LogStore> OpenAsync() => LogStore.OpenAsync(new() { Directory = "/data", WalBytes = 4 << 20 }, NullLogger.Instance, _time, _disk, default);
}
