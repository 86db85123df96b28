using System.Globalization;
using IotGateway.Log.Disk;
using IotGateway.Log.Inspection;
using IotGateway.Log.Records;
using IotGateway.Log.Scrub;
using IotGateway.Log.Tests.Disk;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Tests;

/// <summary>Rule 11: rot in segments is found, by whoever reads them or by the scrubber, and becomes a hole that readers pass.</summary>
public sealed class RotTests
{
    const int Records = 200;

    readonly ManualTime _time = new();

    [Fact]
    public async Task A_sealed_segment_has_checksums_of_all_its_bytes_without_being_read_again()
    {
        var disk = new SimulatedDisk();
        await using var log = await WrittenAsync(disk);
        var segments = log.Find("t")!.Partitions[0].Files.Segments;
        Assert.True(segments.Length > 5);
        foreach (var segment in segments[..^1])
        {
            var sums = SegmentSums.Read(disk, segment.SumsPath, segment.Size);
            Assert.NotNull(sums);
            Assert.Equal(-1, sums.FirstBad(disk.Open(segment.LogPath, create: false), 0, disk.Content(segment.LogPath).Bytes, null));
            Assert.Equal(sums.Index, Crc32C.Of(disk.Content(segment.IndexPath).Bytes));
        }
    }

    /// <summary>Bytes of a batch header that no Kafka checksum covers, one that it covers, its magic and its length.</summary>
    [Theory]
    [InlineData(0, 0x40)]
    [InlineData(6, 0x01)]
    [InlineData(7, 0x01)]
    [InlineData(RecordBatch.EpochAt + 3, 0x04)]
    [InlineData(RecordBatch.MagicAt, 0x01)]
    [InlineData(RecordBatch.LengthAt + 3, 0x10)]
    [InlineData(RecordBatch.LengthAt, 0x40)]
    [InlineData(RecordBatch.HeaderSize + 5, 0x80)]
    public async Task A_reader_notices_a_flipped_bit_and_goes_on_behind_the_batch(int at, byte bit)
    {
        var disk = new SimulatedDisk();
        await using var log = await WrittenAsync(disk);
        var partition = log.Find("t")!.Partitions[0];
        var segment = partition.Files.Segments[2];
        var (position, offset) = BatchOf(disk, segment.LogPath, 3);
        disk.Content(segment.LogPath).Bytes[position + at] ^= bit;

        var offsets = (await partition.RecordsAsync()).ConvertAll(r => r.Offset);
        Assert.Equal(Enumerable.Range(0, Records).Select(i => (long)i).Except([offset]), offsets);
        // Someone who stands in the hole goes on, too; time and end are found over it.
        Assert.Equal(offset + 1, (await partition.RecordsAsync(from: offset))[0].Offset);
        Assert.Equal(offset + 1, (await partition.FindByTimeAsync(Batches.Time + offset, default))!.Value.Offset);
        Assert.Equal(Records - 1, (await partition.FindMaxTimestampAsync(default))!.Value.Offset);
        await WaitAsync(() => log.Figures.QuarantinedRanges == 1);
        Assert.DoesNotContain(segment, partition.Files.Segments);
        var range = Assert.Single(log.Quarantined);
        Assert.Equal(("t", 0, offset, offset + 1), (range.Topic!, range.Partition, range.FromOffset, range.ToOffset));
        Assert.Single(disk.Files("/data/quarantine"));
        Assert.Equal(Records - 1, (await partition.RecordsAsync()).Count);
    }

    [Fact]
    public async Task A_hole_outlasts_a_restart_and_is_told_until_somebody_has_told_it()
    {
        var disk = new SimulatedDisk();
        long offset;
        await using (var log = await WrittenAsync(disk))
        {
            var partition = log.Find("t")!.Partitions[0];
            var segment = partition.Files.Segments[1];
            (var position, offset) = BatchOf(disk, segment.LogPath, 0);
            disk.Content(segment.LogPath).Bytes[position + 30] ^= 1;
            var raised = new TaskCompletionSource();
            log.RecordsQuarantined += () => raised.TrySetResult();
            await partition.ReadAsync(offset, 1, default);
            await raised.Task.WaitAsync(TimeSpan.FromSeconds(10));
        }
        Assert.Empty(LogInspector.Verify("/data", disk, default).Findings);
        var after = disk.Crash(new Random(1));
        await using (var log = await OpenAsync(after))
        {
            var range = Assert.Single(log.Quarantined);
            Assert.Equal(offset, range.FromOffset);
            Assert.Equal(Records - 1, (await log.Find("t")!.Partitions[0].RecordsAsync()).Count);
            var unit = new LogUnit();
            unit.Put(QuarantinedRange.Table, range.Key, null);
            await log.CommitAsync(unit, default);
            Assert.Empty(log.Quarantined);
        }
    }

    [Fact]
    public async Task The_scrubber_finds_what_nobody_reads_within_its_time()
    {
        var disk = new SimulatedDisk();
        await using var log = await WrittenAsync(disk);
        var partition = log.Find("t")!.Partitions[0];
        var path = partition.Files.Segments[20].LogPath;
        var (position, offset) = BatchOf(disk, path, 1);
        disk.Content(path).Bytes[position + 40] ^= 1;
        await log.ScrubDueAsync(default); // begins the pass
        _time.Advance(TimeSpan.FromDays(1)); // a seventh of the log is due: not there yet
        await ScrubAsync(log);
        Assert.Equal(0, log.Figures.QuarantinedRanges);
        Assert.InRange(log.Figures.ScrubbedBytes, 1, partition.SizeBytes / 2);
        _time.Advance(TimeSpan.FromDays(6));
        await ScrubAsync(log);
        await WaitAsync(() => log.Figures.QuarantinedRanges == 1);
        Assert.Equal(offset, Assert.Single(log.Quarantined).FromOffset);
    }

    [Fact]
    public async Task A_pass_of_the_scrubber_goes_on_where_it_was_after_a_restart()
    {
        var disk = new SimulatedDisk();
        long scrubbed;
        await using (var log = await WrittenAsync(disk))
        {
            await log.ScrubDueAsync(default);
            _time.Advance(TimeSpan.FromDays(3));
            await ScrubAsync(log);
            scrubbed = log.Figures.ScrubbedBytes;
            Assert.True(scrubbed > 0);
        }
        await using (var log = await OpenAsync(disk))
        {
            await ScrubAsync(log);
            Assert.Equal(0, log.Figures.ScrubbedBytes);
            _time.Advance(TimeSpan.FromDays(4));
            await ScrubAsync(log);
            Assert.InRange(log.Figures.ScrubbedBytes, 1, log.Find("t")!.Partitions[0].SizeBytes - scrubbed);
        }
    }

    [Fact]
    public async Task A_segment_without_checksums_gets_them_when_it_is_scrubbed()
    {
        var disk = new SimulatedDisk();
        await using (var log = await WrittenAsync(disk))
            foreach (var segment in log.Find("t")!.Partitions[0].Files.Segments) disk.Delete(segment.SumsPath);
        await using (var log = await OpenAsync(disk))
        {
            Assert.Equal(0, (await log.ScrubAsync(default)).Damaged);
            foreach (var segment in log.Find("t")!.Partitions[0].Files.Segments[..^1]) Assert.NotNull(SegmentSums.Read(disk, segment.SumsPath, segment.Size));
        }
    }

    [Fact]
    public async Task Checksums_of_a_file_that_an_older_version_has_compacted_are_none()
    {
        var disk = new SimulatedDisk();
        await using var log = await WrittenAsync(disk);
        var segment = log.Find("t")!.Partitions[0].Files.Segments[0];
        Assert.NotNull(SegmentSums.Read(disk, segment.SumsPath, segment.Size));
        Assert.Null(SegmentSums.Read(disk, segment.SumsPath, segment.Size - 100));
        var bytes = disk.Content(segment.SumsPath).Bytes;
        bytes[^1] ^= 1;
        Assert.Null(SegmentSums.Read(disk, segment.SumsPath, segment.Size));
    }

    [Theory]
    [InlineData("index")]
    [InlineData("timeindex")]
    public async Task A_missing_or_rotten_index_fails_no_read_and_is_made_anew(string kind)
    {
        var disk = new SimulatedDisk();
        await using var log = await WrittenAsync(disk, segmentBytes: 30_000);
        var partition = log.Find("t")!.Partitions[0];
        string PathOf(int segment) => Path.ChangeExtension(partition.Files.Segments[segment].LogPath, kind);
        var before = (byte[])disk.Content(PathOf(0)).Bytes.Clone();
        Assert.True(before.Length > 16);
        disk.Content(PathOf(0)).Bytes.AsSpan(0, before.Length).Fill(0x11);
        disk.Delete(PathOf(1));
        log.CloseFiles();
        foreach (var offset in Enumerable.Range(0, Records).Reverse().Select(i => (long)i))
        {
            Assert.Equal(offset, (await partition.RecordsAsync(offset, 1))[0].Offset);
            Assert.Equal(offset, (await partition.FindByTimeAsync(Batches.Time + offset, default))!.Value.Offset);
        }
        // An entry that leads nowhere only costs time: that one is found by the scrubber.
        Assert.Equal(0, (await log.ScrubAsync(default)).Unmended);
        await WaitAsync(() => disk.Exists(PathOf(1)) && disk.Content(PathOf(0)).Bytes.AsSpan().SequenceEqual(before));
        Assert.Empty(log.Quarantined);
        Assert.Equal(Records, (await partition.RecordsAsync()).Count);
    }

    [Fact]
    public async Task A_segment_that_the_disk_cannot_read_or_has_lost_is_a_hole()
    {
        var disk = new SimulatedDisk();
        await using var log = await WrittenAsync(disk);
        var partition = log.Find("t")!.Partitions[0];
        var segments = partition.Files.Segments;
        var (unreadable, gone) = (segments[1].LogPath, segments[3].LogPath);
        log.CloseFiles();
        disk.Delete(gone);
        disk.Fault = (operation, path) => operation == "read" && path == unreadable ? new DiskException("Reading", path, 5, "Input/output error") : null;
        var lost = Offsets(segments[1], segments[2]).Concat(Offsets(segments[3], segments[4]));
        Assert.Equal(Offsets(0, Records).Except(lost), (await partition.RecordsAsync()).ConvertAll(r => r.Offset));
        await WaitAsync(() => log.Figures.QuarantinedRanges == 2);
        Assert.Equal(Offsets(0, Records).Except(lost), (await partition.RecordsAsync()).ConvertAll(r => r.Offset));
        Assert.Equal(2, log.Quarantined.Count);
    }

    [Fact]
    public async Task What_the_page_cache_still_has_right_is_saved()
    {
        var disk = new SimulatedDisk();
        await using var log = await WrittenAsync(disk);
        var partition = log.Find("t")!.Partitions[0];
        var segment = partition.Files.Segments[2];
        disk.Content(segment.LogPath).RotUnderneath(100);
        Assert.Equal(1, (await log.ScrubAsync(default)).Damaged);
        Assert.Equal(Records, (await partition.RecordsAsync()).Count);
        Assert.Empty(log.Quarantined);
        Assert.DoesNotContain(segment, partition.Files.Segments);
    }

    [Fact]
    public async Task Rot_under_committed_transactions_is_a_hole_to_readers_of_committed_records_too()
    {
        var disk = new SimulatedDisk();
        await using var log = await OpenAsync(disk);
        var partition = (await log.CreateTopicAsync("t", 1, Small(2000), default)).Partitions[0];
        for (var i = 0; i < 60; i++)
        {
            var unit = new LogUnit();
            unit.Append(partition, Batches.Transactional(7, 0, i, $"{(i % 3 == 0 ? "aborted" : "committed")} {i}"));
            await log.CommitAsync(unit, default);
            unit.Clear();
            unit.EndTransaction(7, 0, commit: i % 3 != 0, [partition]);
            await log.CommitAsync(unit, default);
        }
        await CheckpointAsync(log);
        var segment = partition.Files.Segments[1];
        foreach (var batch in new[] { 2, 3, 4 }) // data and markers
        {
            var (position, _) = BatchOf(disk, segment.LogPath, batch);
            disk.Content(segment.LogPath).Bytes[position + 40] ^= 1;
        }
        var values = await partition.CommittedAsync();
        Assert.InRange(values.Count, 38, 40);
        Assert.DoesNotContain(values, v => v.StartsWith("aborted", StringComparison.Ordinal));
        await WaitAsync(() => log.Figures.QuarantinedRanges > 0);
        Assert.Equal(values, await partition.CommittedAsync());
    }

    [Fact]
    public async Task Rot_in_the_segment_being_written_closes_it_and_readers_pass()
    {
        var disk = new SimulatedDisk();
        await using var log = await WrittenAsync(disk, segmentBytes: 1 << 20);
        var partition = log.Find("t")!.Partitions[0];
        var segment = Assert.Single(partition.Files.Segments);
        foreach (var number in new[] { 7, Records - 1 })
        {
            var (position, _) = BatchOf(disk, segment.LogPath, number);
            disk.Content(segment.LogPath).Bytes[position + 70] ^= 1;
        }
        Assert.Equal(1, (await log.ScrubAsync(default)).Damaged);
        Assert.Equal(Offsets(0, Records - 1).Except([7]), (await partition.RecordsAsync()).ConvertAll(r => r.Offset));
        Assert.Equal([7L, Records - 1], log.Quarantined.Select(q => q.FromOffset));
        // The lost end is passed by who reads, though nothing came behind it yet.
        Assert.Equal(Records - 1, new RecordBatch((await partition.ReadAsync(Records - 1, 1, default)).Batches.Span).BaseOffset);
        var unit = new LogUnit();
        unit.Append(partition, Batches.Of("after"));
        Assert.Equal(Records, (await log.CommitAsync(unit, default))[0].BaseOffset);
        Assert.Equal(Records, (await partition.RecordsAsync())[^1].Offset);
        await CheckpointAsync(log);
        Assert.Empty(LogInspector.Verify("/data", disk, default).Findings);
    }

    [Fact]
    public async Task Loses_nothing_behind_a_rotten_batch_whose_length_is_right_whatever_the_sizes()
    {
        var disk = new SimulatedDisk();
        await using var log = await OpenAsync(disk);
        var partition = (await log.CreateTopicAsync("t", 1, new(), default)).Partitions[0];
        var unit = new LogUnit();
        foreach (var size in (int[])[50, 100, 300, 70, 200])
        {
            unit.Clear();
            unit.Append(partition, Batches.Of(new string('x', size)));
            await log.CommitAsync(unit, default);
        }
        await CheckpointAsync(log);
        var segment = partition.Files.Segments[0];
        disk.Content(segment.LogPath).Expose();
        disk.Content(segment.LogPath).Bytes[BatchOf(disk, segment.LogPath, 1).Position + 70] ^= 1;
        Assert.Equal(1, (await log.ScrubAsync(default)).Damaged);
        Assert.Equal([0L, 2, 3, 4], (await partition.RecordsAsync()).ConvertAll(r => r.Offset));
    }

    [Fact]
    public async Task A_power_cut_at_any_step_of_mending_leaves_the_good_records_and_no_file_that_nobody_names()
    {
        var left = 0;
        var start = new SimulatedDisk();
        await using (await WrittenAsync(start)) { }
        const string path = "/data/t-0/00000000000000000000.log";
        var (position, offset) = BatchOf(start, path, 2);
        start.Content(path).Bytes[position + 70] ^= 1;
        var cuts = 0;
        for (var finished = false; !finished; cuts++)
        {
            var disk = start.Crash(new Random(cuts));
            var log = await OpenAsync(disk);
            disk.PowerOffAt = disk.Operations + 1 + cuts * 3;
            try
            {
                await log.ScrubAsync(default);
                finished = true;
            }
            catch (Exception e) when (e is DiskException or LogFailedException) { }
            await log.DisposeAsync();
            disk = disk.Crash(new Random(cuts));
            left += Leftovers(disk).Count();
            await using var again = await OpenAsync(disk);
            Assert.Equal(Offsets(0, Records).Except([offset]), (await again.Find("t")!.Partitions[0].RecordsAsync()).ConvertAll(r => r.Offset));
            _time.Advance(TimeSpan.FromSeconds(11)); // that is when the folders are looked at
            await WaitAsync(() => !Leftovers(disk).Any());
        }
        Assert.InRange(cuts, 10, 1000);
        Assert.True(left > 0, "Nothing was ever left: the cuts miss the mending.");

        static IEnumerable<string> Leftovers(SimulatedDisk disk) => disk.Files("/data/t-0").Where(f => f.EndsWith(".cleaned", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Whatever_is_damaged_no_read_fails_and_no_record_is_wrong()
    {
        for (var seed = 1; seed <= 60; seed++)
        {
            var random = new Random(seed);
            var disk = new SimulatedDisk();
            await using var log = await WrittenAsync(disk);
            var partition = log.Find("t")!.Partitions[0];
            var segments = partition.Files.Segments;
            for (var i = random.Next(1, 6); i > 0; i--)
            {
                var segment = segments[random.Next(segments.Length - 1)];
                var bytes = disk.Content(new[] { segment.LogPath, segment.LogPath, segment.IndexPath, segment.TimeIndexPath, segment.SumsPath }[random.Next(5)]).Bytes;
                if (bytes.Length == 0) continue;
                var from = random.Next(bytes.Length);
                if (random.Next(2) == 0) bytes[from] ^= (byte)(1 << random.Next(8));
                else random.NextBytes(bytes.AsSpan(from, Math.Min(random.Next(1, 700), bytes.Length - from)));
            }
            try
            {
                foreach (var record in await partition.RecordsAsync(maxBytes: random.Next(1, 4000)))
                    Assert.StartsWith(string.Create(CultureInfo.InvariantCulture, $"value {record.Offset} "), System.Text.Encoding.UTF8.GetString(record.Value!.Value.Span), StringComparison.Ordinal);
                var lost = log.ScrubAsync(default).AsTask();
                await lost.WaitAsync(TimeSpan.FromSeconds(20));
                var left = (await partition.RecordsAsync()).Count;
                Assert.Equal(Records, left + log.Quarantined.Sum(q => q.ToOffset - q.FromOffset));
                Assert.Empty(LogInspector.Verify("/data", disk, default, null).Findings);
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}: {e}");
            }
        }
    }

    static IEnumerable<long> Offsets(long from, long to) => Enumerable.Range((int)from, (int)(to - from)).Select(i => (long)i);

    static IEnumerable<long> Offsets(Segments.Segment segment, Segments.Segment next) => Offsets(segment.BaseOffset, next.BaseOffset);

    static TopicConfig Small(int bytes) => new() { Settings = new Dictionary<string, string> { ["segment.bytes"] = bytes.ToString(CultureInfo.InvariantCulture), ["retention.ms"] = "-1" } };

    static (int Position, long Offset) BatchOf(SimulatedDisk disk, string path, int number)
    {
        var bytes = disk.Content(path).Bytes;
        var at = 0;
        for (; number > 0; number--) at += new RecordBatch(bytes.AsSpan(at)).Size;
        return (at, new RecordBatch(bytes.AsSpan(at)).BaseOffset);
    }

    // Each record a batch, its time is its offset, all but the last segment sealed and in a checkpoint.
    async Task<LogStore> WrittenAsync(SimulatedDisk disk, int segmentBytes = 3000)
    {
        var log = await OpenAsync(disk);
        var partition = (await log.CreateTopicAsync("t", 1, Small(segmentBytes), default)).Partitions[0];
        for (var i = 0; i < Records; i++)
        {
            var unit = new LogUnit();
            unit.Append(partition, Batches.At(Batches.Time + i, string.Create(CultureInfo.InvariantCulture, $"value {i} {new string('x', 400)}")));
            await log.CommitAsync(unit, default);
        }
        await CheckpointAsync(log);
        return log;
    }

    static async Task CheckpointAsync(LogStore log)
    {
        for (var i = 0; i < 2; i++) // one may be under way
        {
            var before = log.Figures.Checkpoints;
            log.RequestCheckpoint();
            await WaitAsync(() => log.Figures.Checkpoints > before);
        }
    }

    // The pauses between pieces are the clock's.
    async Task ScrubAsync(LogStore log)
    {
        await PumpAsync(() => !log.IsScrubbing); // the timer's own
        var scrub = log.ScrubDueAsync(default);
        await PumpAsync(() => scrub.IsCompleted);
        await scrub;
    }

    async Task PumpAsync(Func<bool> done)
    {
        while (!done())
        {
            _time.Advance(TimeSpan.FromMilliseconds(1));
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }
    }

    static async Task WaitAsync(Func<bool> condition)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(10), "The condition never came.");
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }

    Task<LogStore> OpenAsync(SimulatedDisk disk)
        => LogStore.OpenAsync(new() { Directory = "/data", WalBytes = 512 << 10 }, NullLogger.Instance, _time, disk, default);
}
