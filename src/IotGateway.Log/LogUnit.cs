namespace IotGateway.Log;

/// <summary>What is to be written in one atomic step. Not thread-safe; reusable after <see cref="Clear"/>.</summary>
public sealed class LogUnit
{
    internal List<AppendEntry> Appends { get; } = [];
    internal List<PutEntry> Puts { get; } = [];
    internal List<EndEntry> Ends { get; } = [];

    /// <summary>Appends record batches (v2, back to back, as a client sends them) to a partition.</summary>
    /// <param name="partition">Where to.</param>
    /// <param name="batches">The batches.</param>
    /// <param name="origin">Who appends them, kept beside them for <see cref="Partition.OriginOf"/>; null keeps nothing.</param>
    public void Append(Partition partition, ReadOnlyMemory<byte> batches, string? origin = null) => Appends.Add(new(partition, batches) { Origin = origin });

    /// <summary>
    /// Appends what a client sent. Beyond what <see cref="Append"/> checks, compressed records are opened and checked as well, and every record by the
    /// topic's rules: keys where it is compacted, bounds of timestamps. A greatest timestamp the header has wrong is put right.
    /// </summary>
    /// <param name="partition">Where to.</param>
    /// <param name="batches">The batches.</param>
    /// <param name="origin">The client, kept beside them for <see cref="Partition.OriginOf"/>; null keeps nothing.</param>
    /// <param name="newEpoch">Their producer's epoch is one in which nothing was written before what it writes now: the first sequence of one the partition does not know is 0.</param>
    public void AppendReceived(Partition partition, ReadOnlyMemory<byte> batches, string? origin = null, bool newEpoch = false)
        => Appends.Add(new(partition, batches) { Received = true, Origin = origin, NewEpoch = newEpoch });

    /// <summary>Sets (or with null deletes) a table's entry.</summary>
    public void Put(string table, ReadOnlyMemory<byte> key, ReadOnlyMemory<byte>? value) => Puts.Add(new(table, key, value));

    /// <summary>
    /// Writes the markers that end a producer's transaction, in the same frame as all else of the unit. A partition that is gone, or whose producer
    /// has a later epoch, gets none.
    /// </summary>
    /// <param name="producerId">Whose transaction.</param>
    /// <param name="epoch">Epoch of the markers: from then on, lower ones are refused.</param>
    /// <param name="commit">Whether it is committed, or aborted.</param>
    /// <param name="partitions">All partitions it has written to.</param>
    public void EndTransaction(long producerId, short epoch, bool commit, IEnumerable<Partition> partitions)
        => Ends.AddRange(partitions.Select(p => new EndEntry(p, producerId, epoch, commit)));

    /// <summary>Whether it may use the disk's reserve: gaps, outcomes and offsets that must be kept when the disk is full.</summary>
    public bool Reserved { get; set; }

    /// <summary>Whether there is nothing to write.</summary>
    public bool IsEmpty => Appends.Count == 0 && Puts.Count == 0 && Ends.Count == 0;

    /// <summary>Empties it for reuse.</summary>
    public void Clear()
    {
        Appends.Clear();
        Puts.Clear();
        Ends.Clear();
        Reserved = false;
    }
}

readonly record struct AppendEntry(Partition Partition, ReadOnlyMemory<byte> Batches)
{
    /// <summary>Whether a client sent it.</summary>
    public bool Received { get; init; }

    /// <summary>Who appends it, where that is to be kept.</summary>
    public string? Origin { get; init; }

    /// <summary>Whether a producer that is not known there begins with sequence 0.</summary>
    public bool NewEpoch { get; init; }

    /// <summary>The greatest timestamp of its one batch, where the header says another.</summary>
    public long? MaxTimestamp { get; init; }
}


readonly record struct EndEntry(Partition Partition, long ProducerId, short Epoch, bool Commit);
readonly record struct PutEntry(string Table, ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte>? Value);
