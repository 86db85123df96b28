using System.Text;
using IotGateway.Log.Inspection;
using IotGateway.Log.Tests.Disk;

namespace IotGateway.Log.Tests.Model;

/// <content>The questions.</content>
sealed partial class ModelRun
{
    async Task CheckAsync(SimulatedDisk disk)
    {
        var log = await OpenAsync(disk);
        foreach (var id in _created.Except(_perhapsDeleted)) Assert.True(log.Find(id) is not null, "A topic is gone.");
        foreach (var id in _deleted) Assert.True(log.Find(id) is null, "A deleted topic is back.");
        Assert.Empty(log.Quarantined);
        foreach (var topic in log.Topics) CheckConfig(topic);
        var present = new HashSet<(int Unit, Guid, int)>();
        foreach (var partition in log.Topics.SelectMany(t => t.Partitions)) await CheckAsync(partition, present);
        foreach (var (key, _) in log.Scan("units")) Assert.True(_units.ContainsKey(BitConverter.ToInt32(key.Span)));
        foreach (var (id, unit) in _units)
        {
            var parts = unit.Parts.Where(p => log.Find(p.Topic) is { Rules.Compacts: false } t && Model(t.Partitions[p.Partition]).PerhapsStart == 0)
                .Select(p => present.Contains((id, p.Topic, p.Partition))).ToList();
            if (unit.Put) parts.Add(log.Get("units", BitConverter.GetBytes(id)) is not null);
            Assert.True(parts.TrueForAll(p => p) || parts.TrueForAll(p => !p), $"Unit {id} is torn: {string.Join(' ', parts)}.");
            Assert.False(unit.Refused && parts.Contains(true), $"Unit {id} was refused and is there.");
        }
        await log.DisposeAsync();
        Assert.Empty(LogInspector.Verify("/data", disk, default).Findings);
    }

    void CheckConfig(Topic topic)
    {
        if (!_topics.TryGetValue(topic.Id, out var model)) return;
        var value = topic.Config.Settings.GetValueOrDefault("flush.ms") ?? "";
        Assert.True(value == model.Setting || model.Perhaps.Contains(value), $"The configuration is {value}; {model.Setting} was acknowledged, {string.Join(' ', model.Perhaps)} asked for since.");
        model.Setting = value;
        model.Perhaps.Clear();
    }

    async Task CheckAsync(Partition partition, HashSet<(int, Guid, int)> present)
    {
        var model = Model(partition);
        var compacts = partition.Topic.Rules.Compacts;
        CheckEnd(partition, model);
        var records = await partition.RecordsAsync(maxBytes: _random.Next(100, 5000));
        var expected = partition.LogStart;
        var ids = new HashSet<string>();
        var last = new Dictionary<int, long>();
        foreach (var record in records)
        {
            var text = Encoding.UTF8.GetString(record.Value!.Value.Span);
            if (compacts) Assert.True(record.Offset >= expected, $"Offset {record.Offset} follows {expected - 1}.");
            else Assert.Equal(expected, record.Offset);
            expected = record.Offset + 1;
            Assert.True(ids.Add(text), $"{text} is there twice.");
            Assert.Contains(text, model.Sent);
            if (model.Acknowledged.TryGetValue(record.Offset, out var acknowledged)) Assert.Equal(acknowledged, text);
            present.Add((UnitOf(text), partition.Topic.Id, partition.Index));
            last[KeyOf(text)] = record.Offset;
        }
        if (compacts) Assert.True(expected <= partition.HighWatermark);
        else Assert.Equal(partition.HighWatermark, expected);
        Assert.True(partition.LogStart <= model.PerhapsStart, $"The log starts with {partition.LogStart}; it was asked to start with {model.PerhapsStart} at most.");
        if (compacts)
            foreach (var key in model.Acknowledged.Where(a => a.Key >= partition.LogStart).GroupBy(a => KeyOf(a.Value), a => a.Key))
                Assert.True(last.TryGetValue(key.Key, out var at) && at >= key.Max(), $"The last record of key {key.Key} is at {at}; one was acknowledged at {key.Max()}.");
        if (model.PerhapsStart == long.MaxValue && partition.Topic.Rules.RetentionBytes >= 0) model.PerhapsStart = Math.Max(partition.LogStart, 1);
    }

    // After every start: what was not synced may be gone, but no reader may take what comes in its place for the same.
    static void CheckEnd(Partition partition, ModelPartition model)
    {
        var promised = model.Acknowledged.Count == 0 ? 0 : model.Acknowledged.Keys.Max() + 1;
        if (partition.Topic.Rules.Durability == Durability.Fsync)
        {
            Assert.True(promised <= partition.HighWatermark, $"Acknowledged up to {promised}, recovered {partition.HighWatermark}.");
            Assert.True(model.Seen <= partition.HighWatermark, $"Seen up to {model.Seen}, recovered {partition.HighWatermark}.");
        }
        else if (model.Seen > partition.HighWatermark) Assert.True(partition.LeaderEpoch > model.Epoch, "Seen offsets were cut without a new epoch.");
        foreach (var lost in model.Acknowledged.Keys.Where(o => o >= partition.HighWatermark).ToList()) model.Acknowledged.Remove(lost);
        (model.Seen, model.Epoch) = (partition.HighWatermark, partition.LeaderEpoch);
    }
}
