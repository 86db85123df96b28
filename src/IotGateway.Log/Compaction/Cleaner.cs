using IotGateway.Log.Disk;
using IotGateway.Log.Records;
using IotGateway.Log.Segments;

namespace IotGateway.Log.Compaction;

/// <summary>
/// Compacts one partition, as far as a pass gets with bounded memory: reads the segments not compacted yet into a map of keys, then writes every
/// segment up to there anew without the records a later one replaces. Touches no file that the log has; what it wrote counts when the caller's frame
/// for it is in force. Segments with transactions, and what lies behind them, wait.
/// </summary>
/// <param name="disk">The disk.</param>
/// <param name="mostKeys">Keys a pass remembers.</param>
/// <param name="now">The time, ms.</param>
sealed class Cleaner(IDisk disk, int mostKeys, long now)
{
    const long ProducerExpiryMs = 24L * 3600 * 1000; // producer.id.expiration.ms

    /// <summary>Segments that may be compacted: closed, in a checkpoint, old enough, decided.</summary>
    public static List<Segment> Cleanable(Segment[] segments, TopicRules rules, long checkpointed, long lastStable, long now)
    {
        var cleanable = new List<Segment>();
        for (var i = 0; i + 1 < segments.Length; i++)
        {
            var segment = segments[i];
            if (segment.Dirty || segment.Checkpoint > checkpointed || segments[i + 1].BaseOffset > lastStable) break;
            if (now - Math.Min(segment.MaxTimestamp, segment.LastAppend) < rules.MinCompactionLagMs) break;
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
        var reached = ReadKeys(cleanable, end, cleaned, map, lastOf, ct);
        var within = cleanable.TakeWhile(s => s.BaseOffset < reached).ToList();
        var cleaner = new BatchCleaner(map, now, rules.DeleteRetentionMs);
        for (var i = 0; i < within.Count;)
        {
            var group = Group(within, i, end, rules.SegmentBytes);
            i += group.Count;
            if (Rewrite(group, cleaner, lastOf, ct) is { } replacement) await commit(replacement).ConfigureAwait(false);
        }
        return reached;
    }

    long ReadKeys(List<Segment> cleanable, long end, long cleaned, OffsetMap map, Dictionary<long, long> lastOf, CancellationToken ct)
    {
        foreach (var segment in cleanable)
        {
            using var scan = new SegmentScan(disk, segment);
            while (scan.MoveNext())
            {
                ct.ThrowIfCancellationRequested();
                var batch = new RecordBatch(scan.Current.Span);
                // Which of its records count is not known here.
                if (batch.IsControl || batch.IsTransactional) return segment.BaseOffset;
                if (batch.ProducerId >= 0) lastOf[batch.ProducerId] = now - batch.MaxTimestamp > ProducerExpiryMs ? long.MaxValue : batch.BaseOffset;
                if (batch.LastOffset < cleaned) continue;
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

    // Null when nothing would become smaller.
    Replacement? Rewrite(List<Segment> group, BatchCleaner cleaner, Dictionary<long, long> lastOf, CancellationToken ct)
    {
        using var writer = new CleanedWriter(disk, Path.GetDirectoryName(group[0].LogPath)!, group);
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
                    var kept = cleaner.Clean(scan.Current, batch.ProducerId >= 0 && lastOf.GetValueOrDefault(batch.ProducerId, long.MaxValue) <= batch.BaseOffset);
                    changed |= !kept.Equals(scan.Current);
                    if (!kept.IsEmpty) writer.Add(kept.Span);
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
