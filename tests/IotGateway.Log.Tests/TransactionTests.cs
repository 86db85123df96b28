using IotGateway.Log.Inspection;
using IotGateway.Log.Tests.Disk;
using IotGateway.Log.Transactions;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Tests;

/// <summary>Transactions in the log: what is stable, what is aborted, and that an end is all there or not at all.</summary>
public sealed class TransactionTests
{
    readonly ManualTime _time = new();
    readonly SimulatedDisk _disk = new();

    [Theory, InlineData("fsync"), InlineData("os")]
    public async Task Shows_committed_records_only_up_to_the_oldest_open_transaction_also_after_restarts(string durability)
    {
        await using (var log = await OpenAsync(_disk))
        {
            var settings = new Dictionary<string, string> { ["iotgateway.durability"] = durability };
            var partition = (await log.CreateTopicAsync("t", 1, new() { Settings = settings }, default)).Partitions[0];
            await AppendAsync(log, partition, Batches.Of("plain"));
            await AppendAsync(log, partition, Batches.Transactional(1, 0, 0, "a0", "a1"));
            await AppendAsync(log, partition, Batches.Transactional(2, 0, 0, "b0"));
            await AppendAsync(log, partition, Batches.Of("later"));
            Assert.Equal((5, 1), (partition.HighWatermark, partition.LastStableOffset));
            Assert.Equal(["plain"], await partition.CommittedAsync());
            await EndAsync(log, 2, 0, commit: true, partition);
            Assert.Equal((6, 1), (partition.HighWatermark, partition.LastStableOffset));
            await log.DisposeAsync();
        }
        await using (var log = await OpenAsync(_disk))
        {
            var partition = log.Find("t")!.Partitions[0];
            Assert.Equal((6, 1), (partition.HighWatermark, partition.LastStableOffset));
            Assert.Equal([new OpenTransaction(1, 0, 1)], (await log.OpenTransactionsAsync(default)).Select(o => o.Transaction));
            await EndAsync(log, 1, 1, commit: false, partition);
            Assert.Equal((7, 7), (partition.HighWatermark, partition.LastStableOffset));
            Assert.Equal(["plain", "b0", "later"], await partition.CommittedAsync());
            Assert.Equal(["plain", "a0", "a1", "b0", "later"], await partition.ValuesAsync());
        }
        await using (var log = await OpenAsync(_disk.Crash(new Random(1))))
        {
            var partition = log.Find("t")!.Partitions[0];
            Assert.Equal(["plain", "b0", "later"], await partition.CommittedAsync(maxBytes: 1));
            Assert.Equal([new AbortedTransaction(1, 1, 6, 7)], partition.AbortedTransactions(0, 7));
            Assert.Empty(partition.AbortedTransactions(0, 1));
            Assert.Empty(partition.AbortedTransactions(7, 8));
            await partition.DeleteRecordsAsync(7, default);
            Assert.Empty(partition.AbortedTransactions(0, 7));
        }
        Assert.Empty(LogInspector.Verify("/data", _disk, default).Findings);
    }

    [Fact]
    public async Task Fences_by_the_markers_epoch_and_starts_its_sequences_anew()
    {
        await using var log = await OpenAsync(_disk);
        var partition = (await log.CreateTopicAsync("t", 1, new(), default)).Partitions[0];
        await AppendAsync(log, partition, Batches.Transactional(1, 0, 0, "a"));
        Assert.Equal(AppendError.InvalidTransactionState, (await TryAsync(log, partition, Batches.Idempotent(1, 0, 1, "outside"))).Error);
        await EndAsync(log, 1, 1, commit: true, partition);
        Assert.Equal(AppendError.InvalidProducerEpoch, (await TryAsync(log, partition, Batches.Transactional(1, 0, 1, "late"))).Error);
        Assert.Equal(AppendError.OutOfOrderSequence, (await TryAsync(log, partition, Batches.Transactional(1, 1, 1, "wrong"))).Error);
        await AppendAsync(log, partition, Batches.Transactional(1, 1, 0, "b"));
        await EndAsync(log, 1, 1, commit: true, partition);
        await AppendAsync(log, partition, Batches.Transactional(1, 1, 1, "same epoch, sequences go on"));
        await EndAsync(log, 1, 0, commit: true, partition); // of a producer that is gone: written nowhere
        Assert.Equal(new ProducerSnapshot(1, 1, 1, _time.GetUtcNow().ToUnixTimeMilliseconds(), 0, 4), Assert.Single(await partition.ProducersAsync(default)));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Takes_sequences_of_aborted_records_again_for_others_also_after_a_crash(bool crash)
    {
        await using (var log = await OpenAsync(_disk))
        {
            var partition = (await log.CreateTopicAsync("t", 1, new(), default)).Partitions[0];
            await AppendAsync(log, partition, Batches.Transactional(1, 0, 0, "a", "b"));
            await EndAsync(log, 1, 0, commit: true, partition);
            await AppendAsync(log, partition, Batches.Transactional(1, 0, 2, "acknowledged, then aborted"));
            await AppendAsync(log, partition, Batches.Transactional(1, 0, 3, "not acknowledged", "then aborted"));
            await EndAsync(log, 1, 0, commit: false, partition);
            if (!crash) await log.DisposeAsync(); // by the state file instead of by replay
        }
        await using (var log = await OpenAsync(crash ? _disk.Crash(new Random(1)) : _disk))
        {
            var partition = log.Find("t")!.Partitions[0];
            Assert.Equal(AppendError.DuplicateSequence, (await TryAsync(log, partition, Batches.Transactional(1, 0, 0, "a", "b"))).Error); // committed ones are as ever
            Assert.Equal(AppendError.OutOfOrderSequence, (await TryAsync(log, partition, Batches.Transactional(1, 0, 4, "begins where none began"))).Error);
            await AppendAsync(log, partition, Batches.Transactional(1, 0, 3, "c"));
            Assert.Equal(AppendError.DuplicateSequence, (await TryAsync(log, partition, Batches.Transactional(1, 0, 3, "c"))).Error);
            Assert.Equal(AppendError.OutOfOrderSequence, (await TryAsync(log, partition, Batches.Transactional(1, 0, 2, "late"))).Error); // the producer has gone on
            await AppendAsync(log, partition, Batches.Transactional(1, 0, 4, "d"));
            await EndAsync(log, 1, 0, commit: true, partition);
            Assert.Equal(["a", "b", "c", "d"], await partition.CommittedAsync());
        }
    }

    [Fact]
    public async Task Goes_on_after_aborted_records_that_the_producer_knows_of()
    {
        await using var log = await OpenAsync(_disk);
        var partition = (await log.CreateTopicAsync("t", 1, new(), default)).Partitions[0];
        await AppendAsync(log, partition, Batches.Transactional(1, 0, 0, "aborted"));
        await EndAsync(log, 1, 0, commit: false, partition);
        await AppendAsync(log, partition, Batches.Transactional(1, 0, 1, "a"));
        await EndAsync(log, 1, 0, commit: true, partition);
        Assert.Equal(["a"], await partition.CommittedAsync());
    }

    [Fact]
    public async Task Takes_no_marker_and_no_transaction_without_a_producer_from_outside()
    {
        await using var log = await OpenAsync(_disk);
        var partition = (await log.CreateTopicAsync("t", 1, new(), default)).Partitions[0];
        Assert.Equal(AppendError.InvalidRecord, (await TryAsync(log, partition, Marker.Build(1, 0, commit: true, Batches.Time))).Error);
        Assert.Equal(AppendError.InvalidRecord, (await TryAsync(log, partition, Batches.Transactional(-1, -1, -1, "x"))).Error);
        Assert.Equal(0, partition.HighWatermark);
    }

    [Fact]
    public async Task Begins_a_new_epoch_with_sequence_0_also_behind_a_refused_batch()
    {
        await using var log = await OpenAsync(_disk);
        var partition = (await log.CreateTopicAsync("t", 1, new(), default)).Partitions[0];
        Assert.Equal(AppendError.OutOfOrderSequence, await ReceiveAsync(1, newEpoch: true)); // that of sequence 0 was refused
        Assert.Equal(0, partition.HighWatermark);
        Assert.Equal(AppendError.None, await ReceiveAsync(0, newEpoch: true));
        Assert.Equal(AppendError.None, await ReceiveAsync(1, newEpoch: true));
        Assert.Equal(AppendError.OutOfOrderSequence, await ReceiveAsync(3, newEpoch: true));
        Assert.Equal(AppendError.None, await ReceiveAsync(7, newEpoch: false, producer: 2)); // the partition may have forgotten it
        Assert.Equal(3, partition.HighWatermark);

        async Task<AppendError> ReceiveAsync(int sequence, bool newEpoch, long producer = 1)
        {
            var unit = new LogUnit();
            unit.AppendReceived(partition, Batches.Transactional(producer, 0, sequence, "x"), newEpoch: newEpoch);
            return (await log.CommitAsync(unit, default))[0].Error;
        }
    }

    [Fact]
    public async Task Forgets_no_producer_with_an_open_transaction()
    {
        await using (var log = await OpenAsync(_disk))
        {
            var partition = (await log.CreateTopicAsync("t", 1, new(), default)).Partitions[0];
            await AppendAsync(log, partition, Batches.Transactional(1, 0, 0, "a"));
            await AppendAsync(log, partition, Batches.Idempotent(2, 0, 0, "b"));
            _time.Advance(TimeSpan.FromDays(2));
        }
        await using (var log = await OpenAsync(_disk))
            Assert.Equal(1, Assert.Single(await log.Find("t")!.Partitions[0].ProducersAsync(default)).ProducerId);
    }

    [Fact]
    public async Task An_end_is_there_in_all_partitions_and_tables_or_nowhere_wherever_the_power_goes()
    {
        var (torn, ended) = (0, 0);
        for (var seed = 0; ; seed++)
        {
            var disk = new SimulatedDisk();
            var before = await PrepareAsync(disk);
            disk.PowerOffAt = disk.Operations + 1 + seed;
            var acknowledged = false;
            var log = await OpenAsync(disk, ignore: true);
            if (log is not null)
            {
                try
                {
                    var unit = new LogUnit();
                    unit.EndTransaction(1, 1, commit: seed % 2 == 0, log.Find("t")!.Partitions);
                    unit.Put("groups", "g"u8.ToArray(), "7"u8.ToArray());
                    unit.Put("decision", "x"u8.ToArray(), "1"u8.ToArray());
                    if (seed % 3 == 0) log.RequestCheckpoint();
                    await log.CommitAsync(unit, default);
                    acknowledged = true;
                }
                catch (IOException) { }
                await log.DisposeAsync();
            }
            var survived = disk.Operations < disk.PowerOffAt;
            var random = new Random(seed);
            for (var variant = 0; variant < 3; variant++)
            {
                await using var after = await OpenAsync(disk.Crash(random));
                var partitions = after!.Find("t")!.Partitions;
                var markers = partitions.Count(p => p.HighWatermark == before + 1);
                var done = after.Get("decision", "x"u8) is not null;
                Assert.Equal(done, after.Get("groups", "g"u8) is not null);
                Assert.True(markers == (done ? partitions.Count : 0), $"Seed {seed}: decision {done}, {markers} markers.");
                Assert.True(done || !acknowledged, $"Seed {seed}: an acknowledged end is gone.");
                foreach (var partition in partitions)
                {
                    Assert.Equal(done ? partition.HighWatermark : 0, partition.LastStableOffset);
                    Assert.Equal(done && seed % 2 == 0 ? ["a", "b"] : [], await partition.CommittedAsync());
                }
                Assert.Equal(done ? 0 : partitions.Count, (await after.OpenTransactionsAsync(default)).Count);
                if (done) ended++;
                else torn++;
            }
            if (survived) break;
        }
        Assert.True(torn > 20 && ended > 20, $"{torn} times not ended, {ended} times ended: the test sees only one side.");
    }

    async Task<long> PrepareAsync(SimulatedDisk disk)
    {
        await using var log = (await OpenAsync(disk))!;
        var topic = await log.CreateTopicAsync("t", 3, new(), default);
        foreach (var partition in topic.Partitions)
        {
            await AppendAsync(log, partition, Batches.Transactional(1, 0, 0, "a"));
            await AppendAsync(log, partition, Batches.Transactional(1, 0, 1, "b"));
        }
        return 2;
    }

    static async Task EndAsync(LogStore log, long producer, short epoch, bool commit, params Partition[] partitions)
    {
        var unit = new LogUnit();
        unit.EndTransaction(producer, epoch, commit, partitions);
        await log.CommitAsync(unit, default);
    }

    static async Task AppendAsync(LogStore log, Partition partition, byte[] batch) => Assert.Equal(AppendError.None, (await TryAsync(log, partition, batch)).Error);

    static async Task<AppendResult> TryAsync(LogStore log, Partition partition, byte[] batch)
    {
        var unit = new LogUnit();
        unit.Append(partition, batch);
        return (await log.CommitAsync(unit, default))[0];
    }

    async Task<LogStore> OpenAsync(SimulatedDisk disk) => (await OpenAsync(disk, ignore: false))!;

    async Task<LogStore?> OpenAsync(SimulatedDisk disk, bool ignore)
    {
        try
        {
            return await LogStore.OpenAsync(new() { Directory = "/data", WalBytes = 512 << 10 }, NullLogger.Instance, _time, disk, default);
        }
        catch (IOException) when (ignore)
        {
            return null;
        }
    }
}
