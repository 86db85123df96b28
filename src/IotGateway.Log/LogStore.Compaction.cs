using System.Buffers.Binary;
using IotGateway.Log.Bytes;
using IotGateway.Log.Compaction;
using IotGateway.Log.Disk;
using IotGateway.Log.Scrub;
using IotGateway.Log.Wal;

namespace IotGateway.Log;

/// <content>
/// Compaction of topics whose <c>cleanup.policy</c> has <c>compact</c>. How far a partition is compacted is an entry of a table of the log's own,
/// changed in the frame that ends a pass.
/// </content>
public sealed partial class LogStore
{
    const string CleanedTable = "log.cleaned";
    static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    /// <summary>At most 48 MiB of memory for the keys of a pass; more keys take several passes.</summary>
    internal int CompactionKeys { get; set; } = 1 << 20;

    readonly SemaphoreSlim _compacting = new(1, 1);
    readonly CancellationTokenSource _closing = new();

    /// <summary>Compacts what is due; also done by itself every <see cref="LogOptions.CompactEvery"/>. Returns how many segments were replaced.</summary>
    /// <exception cref="LogFailedException">The log has failed.</exception>
    public async ValueTask<int> CompactAsync(CancellationToken ct)
    {
        await _compacting.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            var replaced = 0;
            foreach (var partition in Topics.Where(t => t.Rules.Compacts).SelectMany(t => t.Partitions)) replaced += await CompactAsync(partition, ct).ConfigureAwait(false);
            // Deletes the old files; and closed segments wait for one before the next pass may have them.
            if (replaced > 0 || Topics.Where(t => t.Rules.Compacts).SelectMany(t => t.Partitions).Any(WaitsForCheckpoint)) RequestCheckpoint();
            return replaced;
        }
        finally
        {
            _compacting.Release();
        }
    }

    async Task<int> CompactAsync(Partition partition, CancellationToken ct)
    {
        var (rules, segments, now, replaced) = (partition.Topic.Rules, partition.Files.Segments, Clock.Now, 0);
        await CloseOverdueAsync(partition, now, ct).ConfigureAwait(false);
        var cleanable = Cleaner.Cleanable(segments, rules, _housekeeper.Checkpointed, partition.LastStableOffset, now);
        if (cleanable.Count == 0) return 0;
        var end = segments[cleanable.Count].BaseOffset;
        var key = Key(partition);
        var cleaned = Get(CleanedTable, key) is { } value ? BinaryPrimitives.ReadInt64LittleEndian(value.Span) : 0;
        if (!Cleaner.IsDue(cleanable, end, rules, cleaned, now)) return 0;
        try
        {
            var reached = await Task.Run(() => new Cleaner(_disk, partition.AbortedTransactions(0, end), CompactionKeys, now).RunAsync(cleanable, end, cleaned, rules, async replacement =>
            {
                var body = replacement.Write();
                await DoAsync(64 + body.Length, (committer, cycle) =>
                {
                    Taken(committer, partition.Topic.Id);
                    EntryWriter.Replace(cycle.Frame, partition.Topic.Id, partition.Index, body);
                    return true;
                }, ct).ConfigureAwait(false);
                replaced += replacement.Old.Count;
            }, ct), ct).ConfigureAwait(false);
            var unit = new LogUnit();
            var done = new byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(done, reached);
            if (reached > cleaned) unit.Put(CleanedTable, key, done);
            await CommitAsync(unit, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (e is InvalidDataException or UnknownTopicException or DiskException)
        {
            // A deleted topic's files are gone; a full disk passes; rot is told by whoever reads it. What is there stays as it is.
            if (!partition.Topic.Deleted) Log.NotCompacted(_logger, partition.Topic.Name, partition.Index, e.Message);
        }
        return replaced;
    }

    // What has to be compacted by a time must not be in the active segment then, though nothing is appended that would close it.
    async ValueTask CloseOverdueAsync(Partition partition, long now, CancellationToken ct)
    {
        if (partition.Files.Segments is not [.., { Size: > 0 } active] || now - active.Created <= partition.Topic.Rules.MaxCompactionLagMs) return;
        await DoAsync(64, (committer, cycle) =>
        {
            var due = partition.Tail.SegmentBytes > 0 && partition.Tail.SegmentBase == active.BaseOffset && !partition.Topic.Closing;
            if (due) Roll(partition, cycle);
            return due;
        }, ct).ConfigureAwait(false);
    }

    bool WaitsForCheckpoint(Partition partition)
        => partition.Files.Segments is { Length: > 1 } segments && segments[..^1].Any(s => s.Dirty || s.Checkpoint > _housekeeper.Checkpointed);

    static byte[] Key(Partition partition)
    {
        var key = new ByteWriter(20);
        key.Id(partition.Topic.Id);
        key.Int(partition.Index);
        return key.Written.ToArray();
    }

    // Only where something is written beside as a matter of course: a look at every folder would make starts long. The others come after it.
    void Sweep()
    {
        // Deleted topics whose files an earlier run had no time to delete.
        _applier.Doom(_disk.Directories(_options.Directory).Where(d => d.EndsWith("-delete", StringComparison.Ordinal)).Select(d => Path.Combine(_options.Directory, d)));
        foreach (var partition in _topics.Published.Where(t => t.Rules.Compacts).SelectMany(t => t.Partitions)) Sweep(partition);
    }

    // Files of replacements that no frame put in place, and old ones that were not deleted yet. Not while a segment is being replaced.
    void Sweep(Partition partition)
    {
        var known = partition.Files.Segments.Select(s => Path.GetFileNameWithoutExtension(s.LogPath)).ToHashSet(StringComparer.Ordinal);
        foreach (var name in _disk.Files(partition.Files.Directory))
        {
            var stray = name.EndsWith(Replacement.Suffix, StringComparison.Ordinal) || name.EndsWith(".deleted", StringComparison.Ordinal)
                || (Path.GetExtension(name) is ".log" or ".index" or ".timeindex" or ".txnindex" or SegmentSums.Extension && !known.Contains(Path.GetFileNameWithoutExtension(name)));
            if (stray) _disk.Delete(Path.Combine(partition.Files.Directory, name));
        }
    }

    async Task CompactInTurnAsync()
    {
        if (_compacting.CurrentCount == 0) return; // the last turn is not over
        try
        {
            await ForgetDeletedAsync().ConfigureAwait(false);
            await CompactAsync(_closing.Token).ConfigureAwait(false);
            // What waits for its checkpoint is compacted soon after it, not a whole turn later.
            if (Topics.Where(t => t.Rules.Compacts).SelectMany(t => t.Partitions).Any(WaitsForCheckpoint)) _compaction.Change(Soon, _options.CompactEvery);
        }
        catch (Exception e) when (e is LogFailedException or ObjectDisposedException or OperationCanceledException)
        {
            // Failed or closing: the next start goes on with it.
        }
    }

    // Partitions of topics that are gone.
    async Task ForgetDeletedAsync()
    {
        var unit = new LogUnit();
        foreach (var (key, _) in Scan(CleanedTable))
            if (Find(new Guid(key.Span[..16])) is null) unit.Put(CleanedTable, key, null);
        await CommitAsync(unit, _closing.Token).ConfigureAwait(false);
    }
}
