using System.Buffers.Binary;
using System.Text;
using IotGateway.Log.Inspection;
using IotGateway.Log.Records;
using IotGateway.Log.Tests.Disk;
using IotGateway.Log.Transactions;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Tests;

/// <summary>Rule 9, step by step: what compaction makes of transactions.</summary>
public sealed class TransactionCompactionTests
{
    static readonly Dictionary<string, string> Compact = new()
    {
        ["cleanup.policy"] = "compact", ["segment.bytes"] = "2000", ["min.cleanable.dirty.ratio"] = "0.01", ["delete.retention.ms"] = "60000",
    };

    readonly ManualTime _time = new();
    readonly SimulatedDisk _disk = new();

    [Fact]
    public async Task An_aborted_transaction_loses_its_records_then_its_marker_and_then_nobody_is_told_of_it_any_more()
    {
        await using (var log = await OpenAsync())
        {
            var partition = await TopicAsync(log);
            await WriteAsync(partition, 7, 0, ("a", "nobody's"), ("b", "nobody's"));
            await EndAsync(partition, 7, commit: false);
            await WriteAsync(partition, 7, 2, ("a", "1"));
            await EndAsync(partition, 7, commit: true);
            await PassAsync(partition);
            // Its records are gone; an abort marker without a horizon is still there, and the index says where.
            var batches = await BatchesAsync(partition);
            Assert.DoesNotContain(batches, b => b.Offset == 0);
            Assert.Equal((2, false), Assert.Single(batches, b => b.Offset == 2) is var marker ? (marker.Offset, marker.Horizon) : default);
            Assert.Single(partition.AbortedTransactions(0, long.MaxValue));
            Assert.Equal(AbortedTransaction.EntrySize, Content(partition).Length);
            Assert.Equal(2, BinaryPrimitives.ReadInt64BigEndian(Content(partition).AsSpan(18)));

            // The next pass finds its transaction empty: it gets a horizon, with the time it had.
            await PassAsync(partition);
            batches = await BatchesAsync(partition);
            Assert.True(Assert.Single(batches, b => b.Offset == 2) is { Horizon: true, IsControl: true });
            Assert.Equal((Batches.Time, Batches.Time), await TimesAsync(partition, 2));
            // The commit marker keeps: its transaction's record is there.
            Assert.False(Assert.Single(batches, b => b.Offset == 4).Horizon);
            Assert.Single(partition.AbortedTransactions(0, long.MaxValue));

            // Until then it stays, however many passes come by.
            _time.Advance(TimeSpan.FromSeconds(50));
            await PassAsync(partition);
            Assert.Single(await BatchesAsync(partition), b => b.Offset == 2);
            Assert.Single(partition.AbortedTransactions(0, long.MaxValue));

            // Behind the horizon it goes, with its entries, in memory and on disk.
            _time.Advance(TimeSpan.FromSeconds(61));
            await PassAsync(partition);
            Assert.DoesNotContain(await BatchesAsync(partition), b => b.Offset == 2);
            Assert.Empty(partition.AbortedTransactions(0, long.MaxValue));
            Assert.DoesNotContain(_disk.Files("/data/t-0"), f => f == "00000000000000000000.txnindex");
            Assert.Equal("1", (await partition.CommittedAsync())[0]);
        }
        await using var again = await LogStore.OpenAsync(new() { Directory = "/data", WalBytes = 512 << 10 }, NullLogger.Instance, _time, _disk.Crash(new Random(1)), default);
        Assert.Empty(again.Find("t")!.Partitions[0].AbortedTransactions(0, long.MaxValue));
        Assert.Equal("1", (await again.Find("t")!.Partitions[0].CommittedAsync())[0]);
    }

    [Fact]
    public async Task A_commit_marker_stays_until_all_records_of_its_transaction_are_gone_and_the_last_batch_of_its_producer_stays_empty()
    {
        await using var log = await OpenAsync();
        var partition = await TopicAsync(log);
        await WriteAsync(partition, 7, 0, ("a", "1"));
        await WriteAsync(partition, 7, 1, ("b", "1"));
        await EndAsync(partition, 7, commit: true);
        await WriteAsync(partition, -1, -1, ("a", "2"));
        for (var i = 0; i < 3; i++)
        {
            await PassAsync(partition);
            _time.Advance(TimeSpan.FromSeconds(61));
        }
        Assert.Equal([(1L, 1), (2L, 1), (3L, 1)], (await BatchesAsync(partition)).Take(3).Select(b => (b.Offset, b.Count)));
        await WriteAsync(partition, -1, -1, ("b", "2"));
        for (var i = 0; i < 3; i++)
        {
            await PassAsync(partition);
            _time.Advance(TimeSpan.FromSeconds(61));
        }
        // Its producer's last batch holds its sequence; the marker goes with it when the producer is forgotten.
        Assert.Equal([(1L, 0), (2L, 1), (3L, 1)], (await BatchesAsync(partition)).Take(3).Select(b => (b.Offset, b.Count)));
        _time.Advance(TimeSpan.FromDays(2));
        for (var i = 0; i < 3; i++)
        {
            await PassAsync(partition);
            _time.Advance(TimeSpan.FromSeconds(61));
        }
        Assert.Equal(3, (await BatchesAsync(partition))[0].Offset);
        Assert.Empty(LogInspector.Verify("/data", _disk, default).Findings);
    }

    [Fact]
    public async Task What_is_not_decided_is_not_compacted_nor_what_lies_behind_it()
    {
        await using var log = await OpenAsync();
        var partition = await TopicAsync(log);
        for (var i = 0; i < 20; i++) await WriteAsync(partition, -1, -1, ("a", new string('x', 300)));
        var open = partition.HighWatermark;
        await WriteAsync(partition, 7, 0, ("a", "open"));
        for (var i = 0; i < 20; i++) await WriteAsync(partition, -1, -1, ("a", new string('x', 300)));
        await PassAsync(partition);
        Assert.Equal(open, partition.LastStableOffset);
        var batches = await BatchesAsync(partition);
        Assert.True(batches.Count(b => b.Offset < open) < 10);
        Assert.True(batches.Count(b => b.Offset >= open) > 20);
        await EndAsync(partition, 7, commit: true);
        await PassAsync(partition);
        Assert.True((await BatchesAsync(partition)).Count < 15);
    }

    static async Task<Partition> TopicAsync(LogStore log) => (await log.CreateTopicAsync("t", 1, new() { Settings = Compact }, default)).Partitions[0];

    // Closes the segments there are, takes a checkpoint and compacts.
    static async Task PassAsync(Partition partition)
    {
        for (var i = 0; i < 3; i++) await WriteAsync(partition, -1, -1, ("filler", new string('x', 1500)));
        var before = partition.Store.Figures.Checkpoints;
        for (var more = 1; more <= 2; more++)
        {
            partition.Store.RequestCheckpoint();
            for (var i = 0; i < 2000 && partition.Store.Figures.Checkpoints < before + more; i++) await Task.Delay(1, TestContext.Current.CancellationToken);
        }
        await partition.Store.CompactAsync(default);
    }

    static async Task WriteAsync(Partition partition, long producer, int sequence, params (string Key, string Value)[] records)
    {
        var builder = new RecordBatchBuilder { ProducerId = producer };
        if (producer >= 0) (builder.ProducerEpoch, builder.BaseSequence) = (0, sequence);
        foreach (var (key, value) in records) builder.Add(Batches.Time, Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(value));
        var batch = builder.Build().ToArray();
        if (producer >= 0)
        {
            batch[RecordBatch.AttributesAt + 1] |= RecordBatch.TransactionalBit;
            RecordBatch.Seal(batch);
        }
        var unit = new LogUnit();
        unit.Append(partition, batch);
        Assert.Equal(AppendError.None, (await partition.Store.CommitAsync(unit, default))[0].Error);
    }

    static async Task EndAsync(Partition partition, long producer, bool commit)
    {
        var unit = new LogUnit();
        unit.EndTransaction(producer, 0, commit, [partition]);
        await partition.Store.CommitAsync(unit, default);
    }

    byte[] Content(Partition partition)
    {
        using var file = _disk.Open(partition.Files.Segments[0].TransactionIndexPath, create: false);
        var bytes = new byte[file.Length];
        file.Read(bytes, 0);
        return bytes;
    }

    // Of the batch, and of its only record.
    static async Task<(long, long)> TimesAsync(Partition partition, long offset)
    {
        var batch = new RecordBatch((await partition.ReadAsync(offset, 1, default)).Batches.Span);
        var cursor = new RecordCursor(batch.Records);
        Assert.True(cursor.TryNext());
        return (batch.MaxTimestamp, batch.BaseTimestamp + cursor.TimestampDelta);
    }

    static async Task<List<(long Offset, int Count, bool IsControl, bool Horizon)>> BatchesAsync(Partition partition)
    {
        var batches = new List<(long, int, bool, bool)>();
        for (var offset = partition.LogStart; offset < partition.HighWatermark;)
        {
            var slice = await partition.ReadAsync(offset, 1, default);
            if (slice.Batches.IsEmpty) break;
            var batch = new RecordBatch(slice.Batches.Span);
            Assert.True(batch.ChecksumHolds);
            batches.Add((batch.BaseOffset, batch.Count, batch.IsControl, (batch.Attributes & 0x40) != 0));
            offset = batch.LastOffset + 1;
        }
        return batches;
    }

    Task<LogStore> OpenAsync() => LogStore.OpenAsync(new() { Directory = "/data", WalBytes = 512 << 10 }, NullLogger.Instance, _time, _disk, default);
}
