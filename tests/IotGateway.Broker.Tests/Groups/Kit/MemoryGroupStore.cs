using IotGateway.Broker.Groups;

namespace IotGateway.Broker.Tests.Groups;

/// <summary>Tables in memory. Writes can be held back (as a slow disk does) and refused (as a full one does).</summary>
sealed class MemoryGroupStore : IGroupStore
{
    readonly Lock gate = new();
    readonly Dictionary<(string Table, string Key), byte[]> entries = [];
    readonly Queue<(IReadOnlyList<TableWrite> Writes, TaskCompletionSource Done)> held = [];

    public bool Holding { get; private set; }
    public bool Refusing { get; set; }
    public int Commits { get; private set; }

    public IReadOnlyList<KeyValuePair<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>> Scan(string table)
    {
        lock (gate)
        {
            return [.. entries.Where(entry => entry.Key.Table == table).Select(entry
                => new KeyValuePair<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>(Convert.FromHexString(entry.Key.Key), entry.Value))];
        }
    }

    public ValueTask CommitAsync(IReadOnlyList<TableWrite> writes, CancellationToken ct)
    {
        lock (gate)
        {
            Commits++;
            if (Refusing) throw new IOException("No space left.");
            if (!Holding)
            {
                Apply(writes);
                return ValueTask.CompletedTask;
            }
            TaskCompletionSource done = new(); // continues on the releaser's thread: tests stay in step
            held.Enqueue((writes, done));
            return new(done.Task);
        }
    }

    public void Hold() => Holding = true;

    /// <summary>Makes what was held durable, and what comes in its wake.</summary>
    public void Release()
    {
        Holding = false;
        while (true)
        {
            TaskCompletionSource done;
            lock (gate)
            {
                if (!held.TryDequeue(out var next)) return;
                Apply(next.Writes);
                done = next.Done;
            }
            done.SetResult();
        }
    }

    /// <summary>What a restart would find: without the writes that are held.</summary>
    public MemoryGroupStore Copy()
    {
        MemoryGroupStore copy = new();
        lock (gate)
            foreach (var (key, value) in entries) copy.entries.Add(key, value);
        return copy;
    }

    public int Count(string table)
    {
        lock (gate) return entries.Keys.Count(key => key.Table == table);
    }

    void Apply(IReadOnlyList<TableWrite> writes)
    {
        foreach (var write in writes)
        {
            var key = (write.Table, Convert.ToHexString(write.Key.Span));
            if (write.Value is { } value) entries[key] = value.ToArray();
            else entries.Remove(key);
        }
    }
}
