using IotGateway.Log.Tests.Disk;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Tests;

/// <summary>
/// Several producers with transactions over several partitions, ends, checkpoints, and a power cut at a random disk operation; then: what was
/// said to be committed is there everywhere, what was not is nowhere, and nobody reads past what is open. Seeds: LOG_SEEDS, LOG_SEED.
/// </summary>
public sealed class TransactionModelTests
{
    [Fact]
    public async Task Every_transaction_is_seen_as_a_whole_or_not_at_all_whatever_the_power_cut_leaves()
    {
        foreach (var seed in CrashModelTests.Seeds(100))
        {
            var run = new Run(seed);
            try
            {
                await run.DoAsync();
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}\n  {string.Join("\n  ", run.Story)}", e);
            }
        }
    }

    sealed class Run(int seed)
    {
        readonly Random _random = new(seed);
        readonly List<Tx> _all = [];
        int _number;

        public List<string> Story { get; } = [];

        public async Task DoAsync()
        {
            var disk = new SimulatedDisk();
            await using (var log = await OpenAsync(disk))
                await log.CreateTopicAsync("t", 3, new() { Settings = new Dictionary<string, string> { ["segment.bytes"] = "1500" } }, default);
            for (var round = 0; round < 4; round++)
            {
                disk.PowerOffAt = disk.Operations + _random.Next(20, 400);
                await WorkAsync(disk);
                if (_random.Next(3) == 0)
                {
                    disk.Kill();
                    disk.PowerOffAt = disk.Operations + _random.Next(20, 400);
                    await WorkAsync(disk);
                }
                disk = disk.Crash(_random);
                Story.Add("the power goes");
                await CheckAsync(disk);
            }
        }

        async Task WorkAsync(SimulatedDisk disk)
        {
            LogStore log;
            if (_random.Next(4) == 0) Trouble.FailOnce(disk, _random, Story);
            try
            {
                log = await OpenAsync(disk);
            }
            catch (IOException)
            {
                disk.Fault = (_, _) => null;
                return;
            }
            var open = new Dictionary<int, Tx>();
            try
            {
                for (var step = 0; step < 300 && !log.Failed.IsCompleted; step++)
                {
                    var partitions = log.Find("t")!.Partitions;
                    if (_random.Next(30) == 0) log.RequestCheckpoint();
                    var producer = _random.Next(4);
                    if (!open.TryGetValue(producer, out var tx))
                    {
                        // Of a producer id of its own: what an earlier round left open stays open.
                        open[producer] = tx = new(++_number);
                        _all.Add(tx);
                    }
                    if (tx.Records.Count > 0 && _random.Next(4) == 0)
                    {
                        var commit = _random.Next(2) == 0;
                        tx.Asked = commit;
                        open.Remove(producer);
                        await EndAsync(log, tx.Id, commit, tx.Records.Keys.Select(p => partitions[p]));
                        tx.Decided = true;
                    }
                    else
                    {
                        var partition = _random.Next(3);
                        var value = $"{tx.Id}:{tx.Count}";
                        var sequence = tx.Records.GetValueOrDefault(partition)?.Count ?? 0;
                        var unit = new LogUnit();
                        unit.Append(partitions[partition], Batches.Transactional(tx.Id, 0, sequence, value));
                        if (!tx.Records.TryGetValue(partition, out var records)) tx.Records.Add(partition, records = []);
                        records.Add(value);
                        tx.Count++;
                        Assert.Equal(AppendError.None, (await log.CommitAsync(unit, default))[0].Error);
                    }
                }
            }
            catch (IOException) { }
            catch (ObjectDisposedException) { }
            await log.DisposeAsync();
            disk.Fault = (_, _) => null;
        }

        async Task CheckAsync(SimulatedDisk disk)
        {
            await using var log = await OpenAsync(disk);
            var partitions = log.Find("t")!.Partitions;
            var seen = new List<HashSet<string>>();
            foreach (var partition in partitions)
            {
                seen.Add([.. await partition.CommittedAsync(_random.Next(1, 4000))]);
                var first = (await log.OpenTransactionsAsync(default)).Where(o => o.Partition == partition).Select(o => o.Transaction.FirstOffset).DefaultIfEmpty(partition.HighWatermark).Min();
                Assert.Equal(first, partition.LastStableOffset);
            }
            var open = (await log.OpenTransactionsAsync(default)).Select(o => o.Transaction.ProducerId).ToHashSet();
            foreach (var tx in _all)
            {
                var below = tx.Records.SelectMany(r => r.Value.Select(v => (Partition: r.Key, Value: v))).Select(r => seen[r.Partition].Contains(r.Value)).ToList();
                if (open.Contains(tx.Id) || tx.Asked != true) Assert.DoesNotContain(true, below);
                if (open.Contains(tx.Id)) Assert.False(tx.Decided, $"Transaction {tx.Id} was ended, and is open.");
            }
            // What the cut left open ends now, so that all of it can be seen.
            foreach (var id in open) await EndAsync(log, id, commit: false, partitions);
            foreach (var tx in _all) tx.Asked = open.Contains(tx.Id) ? false : tx.Asked;
            for (var p = 0; p < 3; p++) seen[p] = [.. await partitions[p].CommittedAsync(_random.Next(1, 4000))];
            foreach (var tx in _all.Where(t => t.Asked is not null))
            {
                var whole = tx.Records.SelectMany(r => r.Value.Select(v => seen[r.Key].Contains(v))).ToList();
                Assert.True(whole.TrueForAll(w => w == tx.Asked) || (!tx.Decided && whole.TrueForAll(w => !w)), $"Transaction {tx.Id} is torn or wrong: asked {tx.Asked}, decided {tx.Decided}, {string.Join(' ', whole)}.");
            }
            Assert.All(partitions, p => Assert.Equal(p.HighWatermark, p.LastStableOffset));
        }

        static async Task EndAsync(LogStore log, long producer, bool commit, IEnumerable<Partition> partitions)
        {
            var unit = new LogUnit();
            unit.EndTransaction(producer, 0, commit, partitions);
            await log.CommitAsync(unit, default);
        }

        static Task<LogStore> OpenAsync(SimulatedDisk disk)
            => LogStore.OpenAsync(new() { Directory = "/data", WalBytes = 512 << 10 }, NullLogger.Instance, TimeProvider.System, disk, default);
    }

    sealed class Tx(int id)
    {
        public int Id => id;
        public int Count { get; set; }
        public Dictionary<int, List<string>> Records { get; } = [];
        /// <summary>Commit or abort, when its end was asked for.</summary>
        public bool? Asked { get; set; }
        /// <summary>Whether that was acknowledged.</summary>
        public bool Decided { get; set; }
    }
}
