using System.Diagnostics.Metrics;
using IotGateway.Log;

namespace IotGateway.Broker.Groups.Storage;

/// <summary>How far each consumer group is behind, from its committed offsets in the log's table. Reads only; any thread.</summary>
internal static class GroupLag
{
    public static IEnumerable<Measurement<long>> Measure(LogStore log)
        => log.Scan(GroupTables.Offsets).Select(e => GroupTables.ReadOffset(e.Key, e.Value))
            .Select(c => (c.Group, c.Topic, Partition: log.Find(c.Topic)?.Partitions.ElementAtOrDefault(c.Partition), c.Offset.Offset))
            .Where(c => c.Partition is not null)
            .GroupBy(c => (c.Group, c.Topic), c => Math.Max(0, c.Partition!.HighWatermark - Math.Max(c.Offset, c.Partition.LogStart)))
            .Select(g => new Measurement<long>(g.Sum(), new KeyValuePair<string, object?>("group", g.Key.Group), new KeyValuePair<string, object?>("topic", g.Key.Topic)));
}
