using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using IotGateway.Log.Tests.Disk;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Tests;

/// <summary>
/// Random work, a power cut at a random disk operation, a start, and the question whether everything promised is there; several rounds per seed.
/// Seeds: LOG_SEEDS (how many), LOG_SEED (only this one).
/// </summary>
public sealed class CrashModelTests
{
    [Fact]
    public async Task Notices_a_disk_whose_syncs_do_nothing()
    {
        var noticed = 0;
        for (var seed = 1; seed <= 20; seed++)
        {
            try
            {
                await new Run(seed) { Lies = true }.DoAsync();
            }
            catch (Exception)
            {
                noticed++;
            }
        }
        Assert.True(noticed >= 15, $"Of 20 runs over a lying disk only {noticed} were noticed: the model test would not see a lost sync.");
    }

    [Fact]
    public async Task Loses_nothing_acknowledged_and_tears_no_unit_whatever_the_power_cut_leaves()
    {
        var only = Environment.GetEnvironmentVariable("LOG_SEED");
        var seeds = only is not null
            ? [int.Parse(only, CultureInfo.InvariantCulture)]
            : Enumerable.Range(1, int.Parse(Environment.GetEnvironmentVariable("LOG_SEEDS") ?? "200", CultureInfo.InvariantCulture)).ToArray();
        var failures = new ConcurrentBag<string>();
        await Parallel.ForEachAsync(seeds, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (seed, _) =>
        {
            try
            {
                await new Run(seed).DoAsync();
            }
            catch (Exception e)
            {
                failures.Add($"seed {seed}: {e}");
            }
        });
        Assert.True(failures.IsEmpty, $"{failures.Count} of {seeds.Length} seeds failed; the first:\n{failures.FirstOrDefault()}\n"
            + string.Join('\n', failures.Select(f => f.Split('\n')[0])));
    }

    sealed class Run(int seed)
    {
        static readonly string[] Durabilities = ["fsync", "fsync", "os", "interval:1ms"];

        readonly Random _random = new(seed);
        // Of each partition: what was acknowledged at each offset, what was ever sent, and how far readers could see.
        readonly Dictionary<(Guid, int), ModelPartition> _partitions = [];
        readonly HashSet<Guid> _created = [], _deleted = [], _perhapsDeleted = [];
        readonly ConcurrentDictionary<int, Unit> _units = [];
        int _unit;

        public bool Lies { get; init; }

        public async Task DoAsync()
        {
            var disk = new SimulatedDisk { Lies = Lies };
            for (var round = 0; round < 4; round++)
            {
                disk.PowerOffAt = disk.Operations + _random.Next(1, 600);
                await WorkAsync(disk);
                if (_random.Next(3) == 0)
                {
                    // Only the process dies: the next start sees what was written, and what it shows of that must outlive a power cut.
                    disk.Kill();
                    disk.PowerOffAt = disk.Operations + _random.Next(20, 400);
                    await WorkAsync(disk);
                }
                disk = disk.Crash(_random);
                if (_random.Next(3) == 0)
                {
                    // The power goes again while recovering.
                    disk.PowerOffAt = _random.Next(1, 60);
                    await WorkAsync(disk);
                    disk = disk.Crash(_random);
                }
                await CheckAsync(disk);
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
                foreach (var topic in log.Topics) _created.Add(topic.Id);
                while (true)
                {
                    var under_way = new List<Task>();
                    for (var i = _random.Next(1, 6); i > 0; i--) under_way.Add(StepAsync(log));
                    await Task.WhenAll(under_way);
                    if (log.Failed.IsCompleted) break;
                    if (_random.Next(60) == 0) break; // closed in order
                }
            }
            catch (IOException) { }
            catch (ObjectDisposedException) { }
            foreach (var topic in log.Topics)
                foreach (var partition in topic.Partitions) Model(partition).Seen = Math.Max(Model(partition).Seen, partition.HighWatermark);
            await log.DisposeAsync();
        }

        Task StepAsync(LogStore log)
        {
            var topics = log.Topics.ToList();
            var what = _random.Next(100);
            if (topics.Count == 0 || what < 4) return CreateAsync(log);
            var topic = topics[_random.Next(topics.Count)];
            if (what < 6) return DeleteAsync(log, topic);
            if (what < 8) return Ignore<UnknownTopicException>(Ignore<ArgumentException>(log.AddPartitionsAsync(topic.Id, topic.Partitions.Count + 1, default).AsTask()));
            if (what < 12)
            {
                log.RequestCheckpoint();
                return Task.CompletedTask;
            }
            if (what < 16) return DeleteRecordsAsync(topic.Partitions[_random.Next(topic.Partitions.Count)]);
            return CommitAsync(log, topics);
        }

        async Task CreateAsync(LogStore log)
        {
            var settings = new Dictionary<string, string>
            {
                ["iotgateway.durability"] = Durabilities[_random.Next(Durabilities.Length)],
                ["segment.bytes"] = _random.Next(2) == 0 ? "2000" : "100000",
            };
            var name = "t" + _random.Next(4);
            try
            {
                var topic = await log.CreateTopicAsync(name, _random.Next(1, 3), new() { Settings = settings }, default);
                lock (_created) _created.Add(topic.Id);
            }
            catch (TopicExistsException) { }
        }

        async Task DeleteAsync(LogStore log, Topic topic)
        {
            lock (_perhapsDeleted) _perhapsDeleted.Add(topic.Id);
            await Ignore<UnknownTopicException>(log.DeleteTopicAsync(topic.Id, default).AsTask());
            if (log.Find(topic.Id) is null) lock (_deleted) _deleted.Add(topic.Id);
        }

        async Task DeleteRecordsAsync(Partition partition)
        {
            var model = Model(partition);
            var to = _random.NextInt64(partition.HighWatermark + 1);
            model.PerhapsStart = Math.Max(model.PerhapsStart, to);
            await Ignore<InvalidOperationException>(partition.DeleteRecordsAsync(to, default).AsTask());
        }

        async Task CommitAsync(LogStore log, List<Topic> topics)
        {
            var unit = new LogUnit();
            var id = Interlocked.Increment(ref _unit);
            var sent = new List<(Partition Partition, int Count, string Text)>();
            for (var i = _random.Next(1, 4); i > 0; i--)
            {
                var topic = topics[_random.Next(topics.Count)];
                var partition = topic.Partitions[_random.Next(topic.Partitions.Count)];
                var text = $"{id}:{i}:" + new string('x', _random.Next(200));
                var count = _random.Next(1, 4);
                sent.Add((partition, count, text));
                unit.Append(partition, Batches.Of([.. Enumerable.Range(0, count).Select(n => $"{text}:{n}")]));
            }
            var put = _random.Next(2) == 0;
            if (put) unit.Put("units", BitConverter.GetBytes(id), BitConverter.GetBytes(id));
            _units[id] = new(put, [.. sent.Select(s => (s.Partition.Topic.Id, s.Partition.Index, s.Text, s.Count))]);
            foreach (var (partition, count, text) in sent)
                for (var n = 0; n < count; n++) lock (Model(partition).Sent) Model(partition).Sent.Add($"{text}:{n}");
            var results = await log.CommitAsync(unit, default);
            for (var i = 0; i < results.Count; i++)
            {
                if (results[i].Error is AppendError.UnknownPartition or AppendError.NotWritten) continue;
                Assert.Equal(AppendError.None, results[i].Error);
                var model = Model(sent[i].Partition);
                Assert.True(sent[i].Partition.HighWatermark > results[i].LastOffset, "An acknowledged record must be readable.");
                lock (model.Acknowledged)
                    for (var n = 0; n < sent[i].Count; n++) model.Acknowledged.Add(results[i].BaseOffset + n, $"{sent[i].Text}:{n}");
            }
        }

        async Task CheckAsync(SimulatedDisk disk)
        {
            var log = await OpenAsync(disk);
            foreach (var id in _created.Except(_perhapsDeleted)) Assert.True(log.Find(id) is not null, "A topic is gone.");
            foreach (var id in _deleted) Assert.True(log.Find(id) is null, "A deleted topic is back.");
            Assert.Empty(log.Quarantined);
            var present = new HashSet<(int Unit, Guid, int)>();
            foreach (var partition in log.Topics.SelectMany(t => t.Partitions)) await CheckAsync(partition, present);
            foreach (var (key, _) in log.Scan("units")) Assert.True(_units.ContainsKey(BitConverter.ToInt32(key.Span)));
            foreach (var (id, unit) in _units)
            {
                var parts = unit.Parts.Where(p => log.Find(p.Topic) is { } t && Model(t.Partitions[p.Partition]).PerhapsStart == 0)
                    .Select(p => present.Contains((id, p.Topic, p.Partition))).ToList();
                if (unit.Put) parts.Add(log.Get("units", BitConverter.GetBytes(id)) is not null);
                Assert.True(parts.TrueForAll(p => p) || parts.TrueForAll(p => !p), $"Unit {id} is torn: {string.Join(' ', parts)}.");
            }
            await log.DisposeAsync();
            Assert.Empty(IotGateway.Log.Inspection.LogInspector.Verify("/data", disk, default).Findings);
        }

        async Task CheckAsync(Partition partition, HashSet<(int, Guid, int)> present)
        {
            var model = Model(partition);
            var fsync = partition.Topic.Rules.Durability == Durability.Fsync;
            var records = await partition.RecordsAsync(maxBytes: _random.Next(100, 5000));
            var expected = partition.LogStart;
            var ids = new HashSet<string>();
            foreach (var record in records)
            {
                var text = Encoding.UTF8.GetString(record.Value!.Value.Span);
                Assert.Equal(expected++, record.Offset);
                Assert.True(ids.Add(text), $"{text} is there twice.");
                Assert.Contains(text, model.Sent);
                if (model.Acknowledged.TryGetValue(record.Offset, out var acknowledged)) Assert.Equal(acknowledged, text);
                present.Add((int.Parse(text.AsSpan(0, text.IndexOf(':')), CultureInfo.InvariantCulture), partition.Topic.Id, partition.Index));
            }
            Assert.Equal(partition.HighWatermark, expected);
            Assert.True(partition.LogStart <= model.PerhapsStart);
            var promised = model.Acknowledged.Count == 0 ? 0 : model.Acknowledged.Keys.Max() + 1;
            if (fsync)
            {
                Assert.True(promised <= partition.HighWatermark, $"Acknowledged up to {promised}, recovered {partition.HighWatermark}.");
                Assert.True(model.Seen <= partition.HighWatermark, $"Seen up to {model.Seen}, recovered {partition.HighWatermark}.");
            }
            else if (model.Seen > partition.HighWatermark) Assert.True(partition.LeaderEpoch > model.Epoch, "Seen offsets were cut without a new epoch.");
            // What was lost may be given to others now.
            foreach (var lost in model.Acknowledged.Keys.Where(o => o >= partition.HighWatermark).ToList()) model.Acknowledged.Remove(lost);
            (model.Seen, model.Epoch) = (partition.HighWatermark, partition.LeaderEpoch);
        }

        ModelPartition Model(Partition partition)
        {
            lock (_partitions)
            {
                var key = (partition.Topic.Id, partition.Index);
                if (!_partitions.TryGetValue(key, out var model)) _partitions.Add(key, model = new());
                return model;
            }
        }

        static Task<LogStore> OpenAsync(SimulatedDisk disk)
            => LogStore.OpenAsync(new() { Directory = "/data", WalBytes = 512 << 10 }, NullLogger.Instance, TimeProvider.System, disk, default);

        static async Task Ignore<T>(Task task) where T : Exception
        {
            try
            {
                await task;
            }
            catch (T) { }
        }
    }

    sealed class ModelPartition
    {
        public HashSet<string> Sent { get; } = [];
        public SortedDictionary<long, string> Acknowledged { get; } = [];
        public long Seen { get; set; }
        public long PerhapsStart { get; set; }
        public int Epoch { get; set; }
    }

    sealed record Unit(bool Put, List<(Guid Topic, int Partition, string Text, int Count)> Parts);
}
