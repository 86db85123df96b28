using System.Globalization;
using System.Text;
using IotGateway.Log.Inspection;
using IotGateway.Log.Records;
using IotGateway.Log.Tests.Disk;
using IotGateway.Log.Transactions;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Tests;

/// <summary>
/// Rule 9 with transactions: the same units go to a topic that is compacted and to one that is not; commits, aborts, tombstones, checkpoints, passes
/// of compaction, time, and a power cut at a random disk operation. Who reads committed records then sees in the one of each key the last that the
/// other has, and nothing that the other has not; also with the bookkeeping of a Kafka client. Seeds: LOG_SEEDS, LOG_SEED.
/// </summary>
public sealed class TransactionCompactionModelTests
{
    [Fact]
    public async Task Committed_readers_see_the_last_of_each_key_and_nothing_aborted_whatever_compaction_and_power_cuts_do()
    {
        var only = Environment.GetEnvironmentVariable("LOG_SEED");
        var seeds = only is not null ? [int.Parse(only, CultureInfo.InvariantCulture)]
            : Enumerable.Range(1, int.Parse(Environment.GetEnvironmentVariable("LOG_SEEDS") ?? "60", CultureInfo.InvariantCulture)).ToList();
        var (removed, markers) = (0L, 0);
        foreach (var seed in seeds)
        {
            try
            {
                var run = new Run(seed);
                await run.DoAsync();
                (removed, markers) = (removed + run.Removed, markers + run.MarkersGone);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}", e);
            }
        }
        Assert.True(only is not null || (removed > 50 * seeds.Count && markers > seeds.Count), $"Little was compacted: {removed} records, {markers} markers went.");
    }

    sealed class Run(int seed)
    {
        static readonly Dictionary<string, string> Compact = new()
        {
            ["cleanup.policy"] = "compact", ["segment.bytes"] = "1500", ["min.cleanable.dirty.ratio"] = "0.01", ["delete.retention.ms"] = "5000",
        };

        static readonly Dictionary<string, string> Plain = new() { ["retention.ms"] = "-1", ["segment.bytes"] = "1500" };

        readonly Random _random = new(seed);
        readonly ManualTime _time = new();
        readonly Dictionary<long, (short Epoch, int Sequence)> _producers = [];
        readonly HashSet<long> _open = [];
        long _nextProducer = 1;
        int _value;

        public long Removed { get; private set; }
        public int MarkersGone { get; private set; }

        public async Task DoAsync()
        {
            var disk = new SimulatedDisk();
            await using (var log = await OpenAsync(disk))
            {
                await log.CreateTopicAsync("compacted", 1, new() { Settings = Compact }, default);
                await log.CreateTopicAsync("plain", 1, new() { Settings = Plain }, default);
            }
            for (var round = 0; round < 4; round++)
            {
                disk.PowerOffAt = disk.Operations + _random.Next(200, 3000);
                await WorkAsync(disk);
                disk = disk.Crash(_random);
                await using (var log = await OpenAsync(disk)) await CheckAsync(log);
                Assert.Empty(LogInspector.Verify("/data", disk, default).Findings);
            }
        }

        async Task WorkAsync(SimulatedDisk disk)
        {
            LogStore log;
            try
            {
                log = await OpenAsync(disk);
            }
            catch (IOException)
            {
                return;
            }
            try
            {
                // What a cut left open is aborted; its producers go on in a new epoch.
                foreach (var (partition, open) in await log.OpenTransactionsAsync(default)) await EndAsync(log, open.ProducerId, (short)(open.ProducerEpoch + 1), false);
                _producers.Clear();
                _open.Clear();
                for (var step = 0; step < 250 && !log.Failed.IsCompleted; step++)
                {
                    _time.Advance(TimeSpan.FromMilliseconds(_random.Next(200)));
                    switch (_random.Next(20))
                    {
                        case 0:
                            log.RequestCheckpoint();
                            break;
                        case 1:
                            await log.CompactAsync(default);
                            if (_random.Next(3) == 0) await CheckAsync(log, disk);
                            break;
                        case 2:
                            _time.Advance(TimeSpan.FromSeconds(_random.Next(6)));
                            break;
                        case <= 6 when _open.Count > 0:
                            var ended = _open.ElementAt(_random.Next(_open.Count));
                            _open.Remove(ended);
                            await EndAsync(log, ended, _producers[ended].Epoch, _random.Next(2) == 0);
                            break;
                        default:
                            await WriteAsync(log);
                            break;
                    }
                }
            }
            catch (IOException) { }
            catch (ObjectDisposedException) { }
            await log.DisposeAsync();
        }

        async Task WriteAsync(LogStore log)
        {
            var transactional = _random.Next(4) > 0;
            // Few producers, so that committed and aborted transactions of one follow each other; a new one now and then.
            var id = transactional ? _random.Next(10) == 0 || _producers.Count == 0 ? 1000 * (_nextProducer++ + seed) : _producers.Keys.ElementAt(_random.Next(_producers.Count)) : -1;
            var builder = new RecordBatchBuilder { ProducerId = id };
            var (epoch, sequence) = _producers.GetValueOrDefault(id);
            if (transactional) (builder.ProducerEpoch, builder.BaseSequence) = (epoch, sequence);
            var count = _random.Next(1, 4);
            for (var i = 0; i < count; i++)
            {
                var tombstone = _random.Next(6) == 0;
                builder.Add(_time.GetUtcNow().ToUnixTimeMilliseconds(), Encoding.UTF8.GetBytes($"k{_random.Next(8)}"), tombstone ? default : Encoding.UTF8.GetBytes($"value {++_value}"), hasValue: !tombstone);
            }
            var batch = builder.Build().ToArray();
            if (transactional)
            {
                batch[RecordBatch.AttributesAt + 1] |= RecordBatch.TransactionalBit;
                RecordBatch.Seal(batch);
                _open.Add(id);
                _producers[id] = (epoch, sequence + count);
            }
            var unit = new LogUnit();
            unit.Append(log.Find("compacted")!.Partitions[0], batch);
            unit.Append(log.Find("plain")!.Partitions[0], batch.ToArray());
            Assert.All(await log.CommitAsync(unit, default), r => Assert.Equal(AppendError.None, r.Error));
        }

        static async Task EndAsync(LogStore log, long producer, short epoch, bool commit)
        {
            var unit = new LogUnit();
            unit.EndTransaction(producer, epoch, commit, [log.Find("compacted")!.Partitions[0], log.Find("plain")!.Partitions[0]]);
            await log.CommitAsync(unit, default);
        }

        // When the power goes meanwhile, nothing on the disk can be read, which readers pass over: what was seen counts for nothing.
        async Task CheckAsync(LogStore log, SimulatedDisk disk)
        {
            try
            {
                await CheckAsync(log);
            }
            catch (Xunit.Sdk.XunitException) when (disk.Operations >= disk.PowerOffAt)
            {
                throw new IOException("The power is off.");
            }
        }

        async Task CheckAsync(LogStore log)
        {
            var (compacted, plain) = (log.Find("compacted")!.Partitions[0], log.Find("plain")!.Partitions[0]);
            Assert.Equal((plain.HighWatermark, plain.LastStableOffset), (compacted.HighWatermark, compacted.LastStableOffset));
            var all = await OursAsync(plain);
            Assert.Equal(all, await ClientsAsync(plain));
            var kept = await OursAsync(compacted);
            Assert.Equal(kept, await ClientsAsync(compacted));
            var byOffset = all.ToDictionary(r => r.Offset);
            Assert.All(kept, r => Assert.Equal(byOffset.GetValueOrDefault(r.Offset), r));
            foreach (var last in all.GroupBy(r => r.Key).Select(k => k.MaxBy(r => r.Offset)!))
            {
                if (last.Value is not null) Assert.Contains(last, kept);
                else if (!kept.Contains(last)) Assert.DoesNotContain(kept, r => r.Key == last.Key);
            }
            // Who is told of an aborted transaction waits for its marker.
            var (markers, before) = (await MarkersAsync(compacted), await MarkersAsync(plain));
            Assert.All(compacted.AbortedTransactions(0, compacted.HighWatermark), a => Assert.Contains(a.LastOffset, markers));
            Removed = Math.Max(Removed, all.Count - kept.Count);
            MarkersGone = Math.Max(MarkersGone, before.Count - markers.Count);
        }

        async Task<List<Seen>> OursAsync(Partition partition)
        {
            var all = new List<Seen>();
            for (var offset = partition.LogStart; offset < partition.LastStableOffset;)
            {
                var slice = await partition.ReadAsync(offset, _random.Next(1, 3000), default);
                if (slice.Batches.IsEmpty) break;
                foreach (var batch in Batches(slice.Batches)) offset = Math.Max(offset, new RecordBatch(batch.Span).LastOffset + 1);
                var batches = partition.Committed(slice);
                while (batches.MoveNext()) Add(all, batches.Current);
            }
            return all;
        }

        // As the Java consumer does it: a producer is aborted from the offset it is told until it meets an abort marker of it.
        async Task<List<Seen>> ClientsAsync(Partition partition)
        {
            var all = new List<Seen>();
            for (var offset = partition.LogStart; offset < partition.LastStableOffset;)
            {
                var slice = await partition.ReadAsync(offset, _random.Next(1, 3000), default);
                if (slice.Batches.IsEmpty) break;
                var told = new Queue<AbortedTransaction>(partition.AbortedTransactions(offset, slice.LastStableOffset).OrderBy(a => a.FirstOffset));
                var aborted = new HashSet<long>();
                foreach (var bytes in Batches(slice.Batches))
                {
                    var batch = new RecordBatch(bytes.Span);
                    offset = Math.Max(offset, batch.LastOffset + 1);
                    if (batch.BaseOffset >= slice.LastStableOffset) break;
                    while (told.TryPeek(out var next) && next.FirstOffset <= batch.LastOffset) aborted.Add(told.Dequeue().ProducerId);
                    if (batch.IsControl && !Marker.Commits(batch)) aborted.Remove(batch.ProducerId);
                    if (batch.IsControl || (batch.IsTransactional && aborted.Contains(batch.ProducerId))) continue;
                    Add(all, bytes);
                }
            }
            return all;
        }

        static async Task<HashSet<long>> MarkersAsync(Partition partition)
        {
            var markers = new HashSet<long>();
            for (var offset = partition.LogStart; offset < partition.HighWatermark;)
            {
                var slice = await partition.ReadAsync(offset, 1 << 20, default);
                if (slice.Batches.IsEmpty) break;
                foreach (var bytes in Batches(slice.Batches))
                {
                    var batch = new RecordBatch(bytes.Span);
                    Assert.True(batch.ChecksumHolds);
                    if (batch.IsControl) markers.Add(batch.BaseOffset);
                    offset = batch.LastOffset + 1;
                }
            }
            return markers;
        }

        static List<ReadOnlyMemory<byte>> Batches(ReadOnlyMemory<byte> rest)
        {
            var batches = new List<ReadOnlyMemory<byte>>();
            for (; !rest.IsEmpty; rest = rest[new RecordBatch(rest.Span).Size..]) batches.Add(rest[..new RecordBatch(rest.Span).Size]);
            return batches;
        }

        static void Add(List<Seen> to, ReadOnlyMemory<byte> batch)
        {
            foreach (var record in new RecordReader(batch))
                if (to.Count == 0 || record.Offset > to[^1].Offset)
                    to.Add(new(record.Offset, Encoding.UTF8.GetString(record.Key!.Value.Span), record.Value is { } value ? Encoding.UTF8.GetString(value.Span) : null));
        }

        Task<LogStore> OpenAsync(SimulatedDisk disk)
            // Passes are this test's own: none may come between two looks that are compared.
            => LogStore.OpenAsync(new() { Directory = "/data", WalBytes = 512 << 10, CompactEvery = TimeSpan.FromDays(30) }, NullLogger.Instance, _time, disk, default);
    }

    sealed record Seen(long Offset, string Key, string? Value);
}
