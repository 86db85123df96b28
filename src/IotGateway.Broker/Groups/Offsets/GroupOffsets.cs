namespace IotGateway.Broker.Groups.Offsets;

/// <summary>A group's committed offsets by topic and partition, as durable. Used inside the group only.</summary>
internal sealed class GroupOffsets
{
    readonly SortedDictionary<string, SortedDictionary<int, CommittedOffset>> topics = new(StringComparer.Ordinal);

    public bool IsEmpty => topics.Count == 0;

    public CommittedOffset? Find(string topic, int partition)
        => topics.TryGetValue(topic, out var partitions) ? partitions.GetValueOrDefault(partition) : null;

    public void Set(string topic, int partition, CommittedOffset offset)
    {
        if (!topics.TryGetValue(topic, out var partitions)) topics.Add(topic, partitions = []);
        partitions[partition] = offset;
    }

    /// <summary>Removes an offset, but (with <paramref name="expected"/>) not one committed since.</summary>
    public void Remove(string topic, int partition, CommittedOffset? expected = null)
    {
        if (!topics.TryGetValue(topic, out var partitions)) return;
        if (expected is not null && !ReferenceEquals(partitions.GetValueOrDefault(partition), expected)) return;
        partitions.Remove(partition);
        if (partitions.Count == 0) topics.Remove(topic);
    }

    public void Clear() => topics.Clear();

    public IEnumerable<(string Topic, int Partition, CommittedOffset Offset)> All
        => topics.SelectMany(topic => topic.Value.Select(entry => (topic.Key, entry.Key, entry.Value)));
}
