using IotGateway.Log.Inspection;
using IotGateway.Log.Recovery;
using IotGateway.Log.Tests.Disk;
using IotGateway.Log.Transactions;
using IotGateway.Log.Wal;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Tests;

/// <summary>
/// Rule 7: a checkpoint, through a power cut or a kill at every operation of the disk that it takes. All that a start has to know is there afterwards, by the
/// state file or by the frames. Few dirty segments are synced file by file, many by one sync of the file system.
/// </summary>
public sealed class CheckpointTests
{
    const int Few = 2, Many = 34; // on either side of what Housekeeper syncs one by one

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    readonly ManualTime _time = new();

    [Theory, InlineData(Few), InlineData(Many)]
    public async Task Cut_at_any_step_it_is_done_or_not_done_and_nothing_that_a_start_has_to_know_is_lost(int partitions)
    {
        var start = await PrepareAsync(partitions);
        var before = SequenceOf(start);
        var (done, undone) = (0, 0);
        for (var (cut, finished) = (1, false); !finished; cut++)
        {
            var disk = start.Crash(new Random(cut));
            var log = await OpenAsync(disk);
            disk.PowerOffAt = disk.Operations + cut;
            var checkpoints = log.Figures.Checkpoints;
            log.RequestCheckpoint();
            while (log.Figures.Checkpoints == checkpoints && !log.Failed.IsCompleted) await Task.Delay(1, TestContext.Current.CancellationToken);
            await log.DisposeAsync(); // with a checkpoint of its own
            finished = disk.Operations < disk.PowerOffAt;
            if (cut % 2 == 0) disk.Kill();
            else disk = disk.Crash(new Random(cut));
            _ = SequenceOf(disk) > before ? done++ : undone++;
            await using (log = await OpenAsync(disk)) await ExpectAsync(log, partitions);
            Assert.Empty(LogInspector.Verify("/data", disk, default).Findings);
        }
        Assert.True(done > 3 && undone > 8, $"Of {done + undone} steps {undone} lie before the new state, {done} behind it.");
    }

    [Theory, InlineData(Few), InlineData(Many)]
    public async Task Once_it_counts_all_it_refers_to_is_on_the_disk_whatever_a_power_cut_takes(int partitions)
    {
        var disk = (await PrepareAsync(partitions)).Crash(new Random(1));
        await using var log = await OpenAsync(disk);
        var (before, syncs) = (log.Figures.Checkpoints, 0);
        disk.Fault = (operation, _) =>
        {
            if (operation == "syncfs") syncs++;
            return null;
        };
        log.RequestCheckpoint();
        while (log.Figures.Checkpoints == before) await Task.Delay(1, TestContext.Current.CancellationToken);
        Assert.Equal(partitions == Many ? 1 : 0, syncs);
        for (var seed = 0; seed < 20; seed++)
        {
            await using var after = await OpenAsync(disk.Crash(new Random(seed)));
            await ExpectAsync(after, partitions);
        }
    }

    [Fact]
    public async Task While_none_ends_the_write_ahead_log_takes_what_fits_and_no_more_and_who_does_not_fit_waits()
    {
        const int wal = 512 << 10, commits = 200, certain = 20;
        using var directory = new TempDirectory();
        using var disk = new HeldDisk();
        await using var log = await LogStore.OpenAsync(new() { Directory = directory.Path, WalBytes = wal }, NullLogger.Instance, TimeProvider.System, disk, default);
        await log.CreateTopicAsync("t", 1, new(), default);
        var partition = log.Find("t")!.Partitions[0];
        var files = Path.Combine(directory.Path, "wal");
        while (Directory.GetFiles(files).Length < WalFiles.Count) await Task.Delay(1, TestContext.Current.CancellationToken);
        disk.Hold(true);
        var all = new List<Task>();
        try
        {
            var written = log.Figures.WalBytes; // a checkpoint begins by itself after a quarter
            var batch = Batches.Of(new string('x', 10_000));
            for (var i = 0; i < commits; i++)
            {
                all.Add(CommitAsync(log, "t", batch));
                // One by one while it takes them; the first fit for certain.
                await Task.WhenAny(all[i], Task.Delay(i < certain ? Patience : TimeSpan.FromMilliseconds(5), TestContext.Current.CancellationToken));
            }
            Assert.InRange(log.Figures.WalBytes - written, wal / 4, wal / WalFiles.Count * (WalFiles.Count - 1)); // one file is the next start's
            Assert.Contains(all, t => !t.IsCompleted);
            var acknowledged = all.Count(t => t.IsCompleted);
            Assert.InRange(acknowledged, certain, partition.HighWatermark);
        }
        finally
        {
            disk.Hold(false);
        }
        await Task.WhenAll(all).WaitAsync(Patience);
        Assert.Equal(commits, (await partition.ValuesAsync()).Count);
    }

    [Fact]
    public async Task Commits_and_reads_go_on_while_one_is_being_written()
    {
        using var directory = new TempDirectory();
        using var disk = new HeldDisk();
        await using var log = await LogStore.OpenAsync(new() { Directory = directory.Path, WalBytes = 4 << 20 }, NullLogger.Instance, TimeProvider.System, disk, default);
        await log.CreateTopicAsync("t", 1, new(), default);
        var before = log.Figures.Checkpoints;
        disk.Hold(true);
        try
        {
            log.RequestCheckpoint();
            for (var i = 0; i < 20; i++) await CommitAsync(log, "t", Batches.Of($"{i}")).WaitAsync(Patience);
            Assert.Equal(20, (await log.Find("t")!.Partitions[0].ValuesAsync()).Count);
            Assert.Equal(before, log.Figures.Checkpoints);
        }
        finally
        {
            disk.Hold(false);
        }
        var started = TimeProvider.System.GetTimestamp();
        while (log.Figures.Checkpoints == before && TimeProvider.System.GetElapsedTime(started) < Patience) await Task.Delay(5, TestContext.Current.CancellationToken);
        Assert.True(log.Figures.Checkpoints > before);
    }

    // Something of everything, in frames that no checkpoint has: each run begins by replaying them.
    async Task<SimulatedDisk> PrepareAsync(int partitions)
    {
        var disk = new SimulatedDisk();
        var log = await OpenAsync(disk);
        await log.CreateTopicAsync("relaxed", 1, new() { Settings = new Dictionary<string, string> { ["iotgateway.durability"] = "os" } }, default);
        await CommitAsync(log, "relaxed", Batches.Of("of epoch 0"), synced: true);
        var killed = disk.Crash(new Random(1));
        await log.DisposeAsync();
        log = await OpenAsync(killed);
        await CommitAsync(log, "relaxed", Batches.Of("of epoch 1"), synced: true);
        var topic = await log.CreateTopicAsync("t", partitions, new(), default);
        await log.SetConfigAsync(topic.Id, new() { Settings = new Dictionary<string, string> { ["retention.ms"] = "123456789" } }, default);
        for (var i = 0; i < partitions; i++) await CommitAsync(log, "t", Batches.Of($"first of {i}"), partition: i);
        for (var sequence = 0; sequence < 6; sequence++) await CommitAsync(log, "t", Batches.Idempotent(7, 0, sequence, $"sent {sequence}"));
        await CommitAsync(log, "t", Batches.Transactional(8, 0, 0, "aborted"));
        var end = new LogUnit();
        end.EndTransaction(8, 0, commit: false, [topic.Partitions[0]]);
        await log.CommitAsync(end, default);
        await CommitAsync(log, "t", Batches.Transactional(9, 0, 0, "open"));
        await topic.Partitions[1].DeleteRecordsAsync(1, default);
        killed = killed.Crash(new Random(2));
        await log.DisposeAsync();
        return killed;
    }

    static async Task ExpectAsync(LogStore log, int partitions)
    {
        Assert.Empty(log.Quarantined);
        var relaxed = log.Find("relaxed")!.Partitions[0];
        Assert.Equal(["of epoch 0", "of epoch 1"], await relaxed.ValuesAsync());
        Assert.Equal(((0, 1L), (1, 2L)), (relaxed.EndOfEpoch(0)!.Value, relaxed.EndOfEpoch(1)!.Value));
        Assert.NotNull(log.Get("synced", "of epoch 1"u8));
        var topic = log.Find("t")!;
        Assert.Equal(("123456789", partitions), (topic.Config.Settings["retention.ms"], topic.Partitions.Count));
        Assert.Equal((1, 1), (topic.Partitions[1].LogStart, topic.Partitions[1].HighWatermark));
        for (var i = 2; i < partitions; i++) Assert.Equal([$"first of {i}"], await topic.Partitions[i].ValuesAsync());
        var first = topic.Partitions[0];
        Assert.Equal((10, 9), (first.HighWatermark, first.LastStableOffset));
        Assert.Equal(["first of 0", "sent 0", "sent 1", "sent 2", "sent 3", "sent 4", "sent 5"], await first.CommittedAsync());
        Assert.Equal([new AbortedTransaction(8, 7, 8, 9)], first.AbortedTransactions(0, 10));
        Assert.Equal([new OpenTransaction(9, 0, 9)], (await log.OpenTransactionsAsync(default)).Select(o => o.Transaction));
        for (var sequence = 1; sequence < 6; sequence++)
        {
            var again = new LogUnit();
            again.Append(first, Batches.Idempotent(7, 0, sequence, $"sent {sequence}"));
            Assert.Equal(new(AppendError.DuplicateSequence, 1 + sequence, 1 + sequence, -1), (await log.CommitAsync(again, default))[0]);
        }
    }

    static long SequenceOf(SimulatedDisk disk) => StateBody.Head(StateFile.Read(disk, "/data")).Sequence;

    static async Task CommitAsync(LogStore log, string topic, byte[] batch, int partition = 0, bool synced = false)
    {
        var unit = new LogUnit();
        unit.Append(log.Find(topic)!.Partitions[partition], batch);
        if (synced) unit.Put("synced", "of epoch 1"u8.ToArray(), new byte[1]); // and with it the records
        Assert.Equal(AppendError.None, (await log.CommitAsync(unit, default))[0].Error);
    }

    Task<LogStore> OpenAsync(SimulatedDisk disk)
        => LogStore.OpenAsync(new() { Directory = "/data", WalBytes = 2 << 20 }, NullLogger.Instance, _time, disk, default);
}
