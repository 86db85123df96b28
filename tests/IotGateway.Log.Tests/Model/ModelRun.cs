using System.Collections.Concurrent;
using IotGateway.Log.Tests.Disk;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Tests.Model;

/// <summary>
/// One world of the crash model: random work on a simulated disk that fails, fills up and loses its power; a start; and the question whether all that
/// was promised is there. Several rounds.
/// </summary>
/// <remarks>
/// The random numbers follow from the seed; which operation of the disk they meet depends a little on the threads of the log. A seed that failed is worth
/// some repetitions.
/// </remarks>
sealed partial class ModelRun(int seed)
{
    const int Rounds = 4;

    readonly Random _random = new(seed);
    readonly Dictionary<(Guid, int), ModelPartition> _partitions = [];
    readonly Dictionary<Guid, ModelTopic> _topics = [];
    readonly HashSet<Guid> _created = [], _deleted = [], _perhapsDeleted = [];
    readonly ConcurrentDictionary<int, Unit> _units = [];
    int _unit, _producer;

    /// <summary>Syncs do nothing.</summary>
    public bool Lies { get; init; }

    /// <summary>Only the power fails.</summary>
    public bool Calm { get; init; }

    /// <summary>What happened so far, for a failure's report.</summary>
    public List<string> Story { get; } = [];

    public async Task DoAsync()
    {
        var disk = new SimulatedDisk { Lies = Lies };
        for (var round = 0; round < Rounds; round++)
        {
            disk.PowerOffAt = disk.Operations + _random.Next(1, 600);
            await WorkAsync(disk);
            while (_random.Next(3) == 0)
            {
                // Only the process dies: the next start sees what was written, and what it shows of that must outlive a power cut.
                Story.Add("the process dies");
                disk.Kill();
                disk.PowerOffAt = disk.Operations + _random.Next(20, 400);
                await WorkAsync(disk);
            }
            disk = Cut(disk);
            if (_random.Next(3) == 0)
            {
                // The power goes again while recovering.
                disk.PowerOffAt = _random.Next(1, 60);
                await WorkAsync(disk);
                disk = Cut(disk);
            }
            Story.Add("checked");
            await CheckAsync(disk);
        }
    }

    SimulatedDisk Cut(SimulatedDisk disk)
    {
        Story.Add("the power goes");
        return disk.Crash(_random);
    }

    async Task WorkAsync(SimulatedDisk disk)
    {
        var trouble = Calm ? 0 : _random.Next(9);
        if (trouble is 1 or 2) Trouble.FailOnce(disk, _random, Story);
        LogStore log;
        try
        {
            log = await OpenAsync(disk);
        }
        catch (IOException e)
        {
            Story.Add($"no start: {e.Message}");
            disk.Fault = (_, _) => null;
            return;
        }
        Story.Add($"started, {string.Join(", ", log.Topics.Select(t => $"{t.Name} {t.Id.ToString()[..4]} {t.Rules.Durability} {string.Join(' ', t.Partitions.Select(p => $"{p.LogStart}-{p.HighWatermark}"))}"))}, quarantined {log.Quarantined.Count}");
        if (trouble != 3) log.Pins = []; // else a full disk lets closed segments go, which is another model's
        var (room, full) = (Task.CompletedTask, trouble == 3 ? _random.Next(1, 20) : -1);
        try
        {
            foreach (var topic in log.Topics) _created.Add(topic.Id);
            foreach (var partition in log.Topics.SelectMany(t => t.Partitions)) CheckEnd(partition, Model(partition));
            for (var step = 0; !log.Failed.IsCompleted; step++)
            {
                if (step == full) Story.Add("the disk is full for a while");
                if (step == full) room = Trouble.FillAsync(disk);
                var under_way = new List<Task>();
                for (var i = _random.Next(1, 6); i > 0; i--) under_way.Add(StepAsync(log));
                await Task.WhenAll(under_way);
                if (_random.Next(60) > 0) continue;
                Story.Add("closed in order");
                break;
            }
        }
        catch (IOException) { }
        catch (ObjectDisposedException) { }
        if (log.Failed.IsCompleted) Story.Add($"failed: {(await log.Failed).Message}");
        foreach (var topic in log.Topics)
            foreach (var partition in topic.Partitions) Model(partition).Seen = Math.Max(Model(partition).Seen, partition.HighWatermark);
        await log.DisposeAsync();
        await room;
        disk.Fault = (_, _) => null;
        foreach (var stream in _partitions.Values.SelectMany(p => p.Streams)) (stream.Stalled, stream.Resending) = (true, false);
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
        => LogStore.OpenAsync(new() { Directory = "/data", WalBytes = 512 << 10, ReserveBytes = 96 << 10, AwaitsPins = true }, NullLogger.Instance, TimeProvider.System, disk, default);

    sealed record Unit(bool Put, List<(Guid Topic, int Partition, string Text, int Count)> Parts)
    {
        public bool Refused { get; set; }
    }
}
