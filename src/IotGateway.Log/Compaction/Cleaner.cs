using IotGateway.Log.Commit;
using IotGateway.Log.Disk;
using IotGateway.Log.Records;
using IotGateway.Log.Segments;
using IotGateway.Log.Space;
using IotGateway.Log.Transactions;

namespace IotGateway.Log.Compaction;

/// <summary>
/// Compacts one partition, as far as a pass gets with bounded memory: reads the segments not compacted yet into a map of keys, then writes every
/// segment up to there anew without the records a later one replaces. Touches no file that the log has; what it wrote counts when the caller's frame
/// for it is in force. Of transactions, which are all decided there, the aborted ones' records go; a marker goes when no batch of its transaction is
/// left and its delete horizon has passed, and with it what is remembered of an aborted one, in the same frame.
/// </summary>
/// <param name="disk">The disk.</param>
/// <param name="aborted">The partition's aborted transactions below where the pass ends.</param>
/// <param name="mostKeys">Keys a pass remembers.</param>
/// <param name="now">The time, ms.</param>
sealed class Cleaner(IDisk disk, IReadOnlyList<AbortedTransaction> aborted, int mostKeys, long now)
{
    /// <summary>Segments that may be compacted: closed, in a checkpoint, old enough, decided.</summary>
    public static List<Segment> Cleanable(Segment[] segments, TopicRules rules, long checkpointed, long lastStable, long now)
    {
        var cleanable = new List<Segment>();
        for (var i = 0; i + 1 < segments.Length; i++)
        {
            var segment = segments[i];
            if (segment.Dirty || segment.Checkpoint > checkpointed || segments[i + 1].BaseOffset > lastStable) break;
            if (now - segment.LastAppend < rules.MinCompactionLagMs) break;
            cleanable.Add(segment);
        }
        return cleanable;
    }

    /// <summary>Whether it is worth while: enough bytes from <paramref name="cleaned"/> on, or something there waits too long.</summary>
    public static bool IsDue(List<Segment> cleanable, long end, TopicRules rules, long cleaned, long now)
    {
        long dirty = 0, total = 0;
        for (var i = 0; i < cleanable.Count; i++)
        {
            total += cleanable[i].Size;
            if ((i + 1 < cleanable.Count ? cleanable[i + 1].BaseOffset : end) <= cleaned) continue;
            if (now - cleanable[i].Created > rules.MaxCompactionLagMs) return true;
            dirty += cleanable[i].Size;
        }
        return dirty > 0 && dirty >= rules.MinCleanableDirtyRatio * total;
    }

    /// <summary>Writes the new segments one after the other and has each committed.</summary>
    /// <param name="cleanable">What may be compacted, from the log's first segment on.</param>
    /// <param name="end">Offset after them.</param>
    /// <param name="cleaned">Offset up to which it was done before.</param>
    /// <param name="rules">The topic's.</param>
    /// <param name="commit">Writes the frame.</param>
    /// <param name="ct">Ends it between batches.</param>
    /// <returns>Offset up to which it is done now.</returns>
    public async Task<long> RunAsync(List<Segment> cleanable, long end, long cleaned, TopicRules rules, Func<Replacement, Task> commit, CancellationToken ct)
    {
        var map = new OffsetMap(mostKeys);
        var lastOf = new Dictionary<long, long>();
        var transactions = new TransactionPass(aborted);
        var reached = ReadKeys(cleanable, end, cleaned, map, lastOf, transactions, ct);
        var within = cleanable.TakeWhile(s => s.BaseOffset < reached).ToList();
        var cleaner = new BatchCleaner(map, now, rules.DeleteRetentionMs);
        for (var i = 0; i < within.Count;)
        {
            var group = Group(within, i, end, rules.SegmentBytes);
            i += group.Count;
            if (Rewrite(group, rules.IndexInterval, cleaner, lastOf, transactions, ct) is { } replacement) await commit(replacement).ConfigureAwait(false);
        }
        return reached;
    }

    long ReadKeys(List<Segment> cleanable, long end, long cleaned, OffsetMap map, Dictionary<long, long> lastOf, TransactionPass transactions, CancellationToken ct)
    {
        foreach (var segment in cleanable)
        {
            using var scan = new SegmentScan(disk, segment);
            while (scan.MoveNext())
            {
                ct.ThrowIfCancellationRequested();
                var batch = new RecordBatch(scan.Current.Span);
                if (batch.IsControl) continue;
                if (batch.ProducerId >= 0) lastOf[batch.ProducerId] = now - segment.LastAppend > ProducerStates.ExpiryMs ? long.MaxValue : batch.BaseOffset;
                // What nobody may read replaces nothing.
                if (batch.LastOffset < cleaned || transactions.IsAborted(batch)) continue;
                if (map.IsFull) return batch.BaseOffset;
                foreach (var record in new RecordReader(scan.Current))
                    if (record.Key is { } key) map.Put(OffsetMap.Hash(key.Span), record.Offset);
            }
        }
        return end;
    }

    // Small neighbours become one, but never more than a segment holds.
    static List<Segment> Group(List<Segment> segments, int from, long end, int most)
    {
        var group = new List<Segment> { segments[from] };
        long size = segments[from].Size;
        for (var i = from + 1; i < segments.Count; i++)
        {
            size += segments[i].Size;
            if (size > most || (i + 1 < segments.Count ? segments[i + 1].BaseOffset : end) - segments[from].BaseOffset > int.MaxValue) break;
            group.Add(segments[i]);
        }
        return group;
    }

    static ReadOnlyMemory<byte> Kept(ReadOnlyMemory<byte> bytes, in RecordBatch batch, BatchCleaner cleaner, Dictionary<long, long> lastOf, TransactionPass transactions)
    {
        if (batch.IsControl) return cleaner.CleanMarker(bytes, transactions.IsSpent(batch));
        transactions.Saw(batch);
        var last = batch.ProducerId >= 0 && lastOf.GetValueOrDefault(batch.ProducerId, long.MaxValue) <= batch.BaseOffset;
        return cleaner.Clean(bytes, last, transactions.IsAborted(batch));
    }

    // Null when nothing would become smaller.
    Replacement? Rewrite(List<Segment> group, int indexInterval, BatchCleaner cleaner, Dictionary<long, long> lastOf, TransactionPass transactions, CancellationToken ct)
    {
        using var writer = new CleanedWriter(disk, Path.GetDirectoryName(group[0].LogPath)!, group, indexInterval);
        writer.IndexTransactions();
        try
        {
            var changed = group.Count > 1;
            foreach (var segment in group)
            {
                using var scan = new SegmentScan(disk, segment);
                while (scan.MoveNext())
                {
                    ct.ThrowIfCancellationRequested();
                    var batch = new RecordBatch(scan.Current.Span);
                    var kept = Kept(scan.Current, batch, cleaner, lastOf, transactions);
                    changed |= !kept.Equals(scan.Current);
                    var ended = batch.IsControl ? transactions.EndedBy(batch) : null;
                    if (!kept.IsEmpty) writer.Add(kept.Span);
                    if (ended is not { } transaction) continue;
                    if (kept.IsEmpty) writer.Forget(transaction);
                    else writer.Add(transaction);
                }
            }
            if (changed)
            {
                writer.Finish();
                return writer.Result;
            }
            writer.Discard();
            return null;
        }
        catch
        {
            writer.Discard();
            throw;
        }
    }
}
