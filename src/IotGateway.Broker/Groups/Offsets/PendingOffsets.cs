namespace IotGateway.Broker.Groups.Offsets;

/// <summary>
/// Which offsets of which groups open transactions will still change. Thread-safe. An offset leaves only after the group has the new one: who
/// looks here first and reads the group then, never takes an old offset for settled.
/// </summary>
internal sealed class PendingOffsets
{
    readonly Lock _gate = new();
    readonly Dictionary<string, Dictionary<(string Topic, int Partition), List<Guid>>> _groups = new(StringComparer.Ordinal);

    /// <summary>Counts a transaction that holds the offset of a topic, of that name and id.</summary>
    public void Add(string group, string topic, int partition, Guid id)
    {
        lock (_gate)
        {
            if (!_groups.TryGetValue(group, out var pending)) _groups.Add(group, pending = []);
            if (!pending.TryGetValue((topic, partition), out var holders)) pending.Add((topic, partition), holders = new(1));
            holders.Add(id);
        }
    }

    public void Remove(string group, string topic, int partition, Guid id)
    {
        lock (_gate)
        {
            if (!_groups.TryGetValue(group, out var pending) || !pending.TryGetValue((topic, partition), out var holders) || !holders.Remove(id)) return;
            if (holders.Count == 0) pending.Remove((topic, partition));
            if (pending.Count == 0) _groups.Remove(group);
        }
    }

    /// <summary>Whether a group has any.</summary>
    public bool Has(string group)
    {
        lock (_gate) return _groups.ContainsKey(group);
    }

    /// <summary>How many transactions have it.</summary>
    public int Holders(string group, string topic, int partition)
    {
        lock (_gate) return _groups.TryGetValue(group, out var pending) && pending.TryGetValue((topic, partition), out var holders) ? holders.Count : 0;
    }

    /// <summary>A snapshot of a group's.</summary>
    public HashSet<(string Topic, int Partition)> Of(string group)
    {
        lock (_gate) return _groups.TryGetValue(group, out var pending) ? [.. pending.Keys] : [];
    }

    /// <summary>Those of topics that are there: what is held for a topic that was deleted, and perhaps made again, never comes.</summary>
    public HashSet<(string Topic, int Partition)> Of(string group, Func<Guid, bool> isLive)
    {
        lock (_gate) return _groups.TryGetValue(group, out var pending) ? [.. pending.Where(p => p.Value.Exists(id => isLive(id))).Select(p => p.Key)] : [];
    }
}
