namespace IotGateway.Broker.Groups.Offsets;

/// <summary>
/// Which offsets of which groups open transactions will still change. Thread-safe. An offset leaves only after the group has the new one: who
/// looks here first and reads the group then, never takes an old offset for settled.
/// </summary>
internal sealed class PendingOffsets
{
    readonly Lock _gate = new();
    readonly Dictionary<string, Dictionary<(string Topic, int Partition), int>> _groups = new(StringComparer.Ordinal);

    public void Add(string group, string topic, int partition)
    {
        lock (_gate)
        {
            if (!_groups.TryGetValue(group, out var pending)) _groups.Add(group, pending = []);
            pending[(topic, partition)] = pending.GetValueOrDefault((topic, partition)) + 1;
        }
    }

    public void Remove(string group, string topic, int partition)
    {
        lock (_gate)
        {
            if (!_groups.TryGetValue(group, out var pending) || !pending.TryGetValue((topic, partition), out var count)) return;
            if (count > 1) pending[(topic, partition)] = count - 1;
            else pending.Remove((topic, partition));
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
        lock (_gate) return _groups.TryGetValue(group, out var pending) ? pending.GetValueOrDefault((topic, partition)) : 0;
    }

    /// <summary>A snapshot of a group's.</summary>
    public HashSet<(string Topic, int Partition)> Of(string group)
    {
        lock (_gate) return _groups.TryGetValue(group, out var pending) ? [.. pending.Keys] : [];
    }
}
