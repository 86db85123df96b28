namespace IotGateway.Log;

/// <summary>What is to be written in one atomic step. Not thread-safe; reusable after <see cref="Clear"/>.</summary>
public sealed class LogUnit
{
    internal List<AppendEntry> Appends { get; } = [];
    internal List<PutEntry> Puts { get; } = [];

    /// <summary>Appends record batches (v2, back to back, as a client sends them) to a partition.</summary>
    public void Append(Partition partition, ReadOnlyMemory<byte> batches) => Appends.Add(new(partition, batches));

    /// <summary>Sets (or with null deletes) a table's entry.</summary>
    public void Put(string table, ReadOnlyMemory<byte> key, ReadOnlyMemory<byte>? value) => Puts.Add(new(table, key, value));

    /// <summary>Whether it may use the disk's reserve: gaps, outcomes and offsets that must be kept when the disk is full.</summary>
    public bool Reserved { get; set; }

    /// <summary>Whether there is nothing to write.</summary>
    public bool IsEmpty => Appends.Count == 0 && Puts.Count == 0;

    /// <summary>Empties it for reuse.</summary>
    public void Clear()
    {
        Appends.Clear();
        Puts.Clear();
        Reserved = false;
    }
}

readonly record struct AppendEntry(Partition Partition, ReadOnlyMemory<byte> Batches);
readonly record struct PutEntry(string Table, ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte>? Value);
