namespace IotGateway.Log.Tests.Disk;

/// <summary>Names as they are, as they are durable, and the changes between, in order.</summary>
sealed class SimulatedDirectory
{
    readonly Dictionary<string, object> _durable = [];
    readonly List<(string Name, object? Node, string? From)> _pending = [];

    public Dictionary<string, object> Entries { get; } = [];

    public void Change(string name, object? node) => Record(name, node, null);

    public void Move(string from, string to, object node) => Record(to, node, from);

    public void Sync()
    {
        foreach (var change in _pending) Apply(_durable, change);
        _pending.Clear();
    }

    public void SyncAll()
    {
        Sync();
        foreach (var node in Entries.Values)
        {
            if (node is SimulatedDirectory directory) directory.SyncAll();
            else ((SimulatedContent)node).Sync();
        }
    }

    /// <summary>A sync of the whole file system has failed.</summary>
    public void FailSync()
    {
        foreach (var node in Entries.Values)
        {
            if (node is SimulatedDirectory directory) directory.FailSync();
            else ((SimulatedContent)node).FailSync();
        }
    }

    /// <summary>Bytes of all files.</summary>
    public long Space => Entries.Values.Sum(n => n is SimulatedDirectory d ? d.Space : ((SimulatedContent)n).Space);

    public SimulatedDirectory Survivor(Random random)
    {
        var names = new Dictionary<string, object>(_durable);
        foreach (var change in _pending.Take(random.Next(_pending.Count + 1))) Apply(names, change);
        var survivor = new SimulatedDirectory();
        foreach (var (name, node) in names)
            survivor.Change(name, node is SimulatedDirectory d ? d.Survivor(random) : ((SimulatedContent)node).Survivor(random));
        survivor.Sync();
        return survivor;
    }

    void Record(string name, object? node, string? from)
    {
        _pending.Add((name, node, from));
        Apply(Entries, _pending[^1]);
    }

    static void Apply(Dictionary<string, object> names, (string Name, object? Node, string? From) change)
    {
        if (change.From is not null) names.Remove(change.From);
        if (change.Node is null) names.Remove(change.Name);
        else names[change.Name] = change.Node;
    }
}
