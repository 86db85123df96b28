using System.Globalization;
using IotGateway.Log.Tests.Disk;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Tests;

/// <summary>
/// Rule 13 against a simple model: random topics, lanes, pins, appends and times over a budget; at random a power cut. What goes is what the model
/// says may go next, the budget is kept or everything left is held, and what is told is exactly what is gone. Seeds: LOG_SEEDS, LOG_SEED.
/// </summary>
public sealed class SpaceModelTests
{
    [Fact]
    public async Task What_goes_is_what_may_go_next_and_all_of_it_is_told_whatever_the_power_cut_leaves()
    {
        var only = Environment.GetEnvironmentVariable("LOG_SEED");
        var seeds = only is not null ? [int.Parse(only, CultureInfo.InvariantCulture)]
            : Enumerable.Range(1, int.Parse(Environment.GetEnvironmentVariable("LOG_SEEDS") ?? "60", CultureInfo.InvariantCulture));
        var gone = 0;
        foreach (var seed in seeds)
        {
            try
            {
                gone += await new Run(seed).DoAsync();
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}", e);
            }
        }
        Assert.True(only is not null || gone > 5 * seeds.Count(), $"Only {gone} segments went: the model saw little.");
    }

    sealed class Run(int seed)
    {
        const long Budget = 60_000, MaxAgeMs = 100_000;

        readonly Random _random = new(seed);
        readonly ManualTime _time = new();
        readonly Dictionary<(string, int), long> _positions = [];

        SimulatedDisk _disk = new();
        int _gone;

        /// <summary>Returns how many segments went.</summary>
        public async Task<int> DoAsync()
        {
            for (var round = 0; round < 3; round++)
            {
                if (_random.Next(2) == 0) _disk.PowerOffAt = _disk.Operations + _random.Next(100, 3000);
                try
                {
                    await using var log = await OpenAsync(_disk);
                    AssertTold(log);
                    for (var step = 0; step < 30 && !log.Failed.IsCompleted; step++) await StepAsync(log);
                }
                catch (IOException) { }
                catch (ObjectDisposedException) { }
                _disk = _disk.Crash(_random);
            }
            await using var last = await OpenAsync(_disk);
            AssertTold(last);
            return _gone;
        }

        async Task StepAsync(LogStore log)
        {
            log.Pins = [new("sink", TimeSpan.FromMilliseconds(MaxAgeMs), Pinned)];
            _time.Advance(TimeSpan.FromMilliseconds(_random.Next(5_000)));
            if (log.Topics.Count < 6 && _random.Next(4) == 0)
            {
                var settings = new Dictionary<string, string>
                {
                    ["iotgateway.lane"] = ((string[])["low", "normal", "high"])[_random.Next(3)], ["segment.bytes"] = _random.Next(2) == 0 ? "3000" : "100000",
                    ["retention.ms"] = "-1", ["cleanup.policy"] = _random.Next(6) == 0 ? "compact" : "delete",
                };
                await log.CreateTopicAsync($"t{log.Topics.Count}", _random.Next(1, 4), new() { Settings = settings }, default);
            }
            var partitions = log.Topics.SelectMany(t => t.Partitions).ToList();
            for (var i = _random.Next(30); i > 0 && partitions.Count > 0; i--)
            {
                var partition = partitions[_random.Next(partitions.Count)];
                var unit = new LogUnit { Reserved = true };
                unit.Append(partition, Batches.Of(new string('x', _random.Next(1, 900))));
                await log.CommitAsync(unit, default);
                if (_random.Next(5) == 0) _positions[(partition.Topic.Name, partition.Index)] = _random.NextInt64(partition.HighWatermark + 1);
            }
            var before = Pieces(partitions);
            await log.KeepSpaceAsync(default);
            if (!log.Failed.IsCompleted) await CheckAsync(log, partitions, before);
        }

        // The model: a segment's turn is a number and its age; nobody may be skipped.
        async Task CheckAsync(LogStore log, List<Partition> partitions, List<Piece> before)
        {
            AssertTold(log);
            var (gone, left) = (before.Where(p => p.Partition.LogStart >= p.End).ToList(), before.Where(p => p.Partition.LogStart < p.End).ToList());
            _gone += gone.Count;
            Assert.All(gone, p => Assert.True(p.Turn is not null, "What is held or compacted went."));
            foreach (var piece in left.Where(p => p.Turn is not null))
                Assert.DoesNotContain(gone, g => g.Turn > piece.Turn || (g.Turn == piece.Turn && !g.Active && !piece.Active && g.Time > piece.Time && !Hidden(piece, left)));
            var total = partitions.Sum(p => p.SizeBytes);
            var mayGo = Pieces(partitions).Any(p => p.Turn is not null && p.Bytes > 0);
            Assert.True(total <= Budget || !mayGo, $"{total} bytes are kept, and some of it could go.");
            // Compaction may have made the log smaller since that was decided: then it is decided again, as it is every second.
            for (var again = 0; again < 3 && partitions.Exists(p => !p.Topic.Rules.Deletes) && IsKept(partitions) != log.Accepting; again++) await log.KeepSpaceAsync(default);
            var (kept, accepting) = (IsKept(partitions), log.Accepting);
            if (!log.Failed.IsCompleted && _disk.Operations < _disk.PowerOffAt) Assert.Equal(kept, accepting); // the power may go at any moment
        }

        static bool IsKept(List<Partition> partitions) => partitions.Sum(p => p.SizeBytes) <= Budget - Budget / 200;

        // Behind another of its partition, which had to go first.
        static bool Hidden(Piece piece, List<Piece> left) => left.Exists(p => p.Partition == piece.Partition && p.End < piece.End);

        List<Piece> Pieces(List<Partition> partitions)
        {
            var pieces = new List<Piece>();
            var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
            foreach (var partition in partitions)
            {
                var segments = partition.Files.Segments;
                for (var i = 0; i < segments.Length; i++)
                {
                    var end = i + 1 < segments.Length ? segments[i + 1].BaseOffset : partition.HighWatermark;
                    var wanted = Pinned(partition) is { } position && position < end;
                    var overdue = now - segments[i].LastAppend > MaxAgeMs;
                    int? turn = partition.Topic.Rules.Lane switch
                    {
                        _ when !partition.Topic.Rules.Deletes => null,
                        TopicLane.Low => wanted ? 1 : 0,
                        _ when wanted && !overdue => null,
                        TopicLane.Normal => wanted ? 4 : 2,
                        _ => wanted ? 5 : 3,
                    };
                    if (segments[i].Size > 0) pieces.Add(new(partition, end, segments[i].LastAppend, segments[i].Size, i + 1 == segments.Length, turn));
                }
            }
            return pieces;
        }

        // A sink that reads the first four topics; its positions survive, as they would in a table.
        long? Pinned(Partition partition)
            => partition.Topic.Name[1] < '4' ? _positions.GetValueOrDefault((partition.Topic.Name, partition.Index)) : null;

        static void AssertTold(LogStore log)
        {
            foreach (var partition in log.Topics.SelectMany(t => t.Partitions))
            {
                var next = 0L;
                foreach (var range in log.Dropped.Where(d => (d.Topic, d.Partition) == (partition.Topic.Name, partition.Index)))
                {
                    Assert.Equal(next, range.FromOffset);
                    next = range.ToOffset;
                }
                Assert.Equal(partition.LogStart, next);
            }
        }

        Task<LogStore> OpenAsync(SimulatedDisk disk)
            => LogStore.OpenAsync(new() { Directory = "/data", WalBytes = 512 << 10, BudgetBytes = Budget, AwaitsPins = true }, NullLogger.Instance, _time, disk, default);
    }

    sealed record Piece(Partition Partition, long End, long Time, long Bytes, bool Active, int? Turn);
}
