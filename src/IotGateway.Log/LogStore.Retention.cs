using IotGateway.Log.Commit;
using IotGateway.Log.Disk;
using IotGateway.Log.Space;
using IotGateway.Log.Wal;

namespace IotGateway.Log;

/// <content>Old closed segments go by age and size; what goes is decided by log-start entries, so a replay decides the same.</content>
public sealed partial class LogStore
{
    const int MovesPerPass = 500;

    /// <summary>Lets go what the topics' retention no longer covers; also done by itself every <see cref="LogOptions.RetainEvery"/>. Returns how many partitions lost segments.</summary>
    public async ValueTask<int> ApplyRetentionAsync(CancellationToken ct)
    {
        await _spacing.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (!MayDelete) return 0;
            var moved = new HashSet<Partition>();
            while (await DoAsync(64 + MovesPerPass * 64, (committer, cycle) => Retain(committer, cycle, moved), ct).ConfigureAwait(false) > 0) { }
            if (moved.Count > 0) RequestCheckpoint(); // deletes the files
            return moved.Count;
        }
        finally
        {
            _spacing.Release();
        }
    }

    // Active segments that are due are closed first, and go the next time round.
    int Retain(Committer committer, Cycle cycle, HashSet<Partition> moved)
    {
        var (count, now, pins) = (0, cycle.Time, Pins ?? []);
        foreach (var partition in committer.Topics.Known.Where(t => t is { Closing: false, Rules.Deletes: true }).SelectMany(t => t.Committed))
        {
            if (count == MovesPerPass) break;
            if (partition.Files.Segments.Length == 0) continue;
            var start = Retained(ShelfOf(partition, pins), partition.Topic.Rules, now, out var roll);
            if (start <= partition.Tail.LogStart && !roll) continue;
            if (roll) Roll(partition, cycle);
            if (start > partition.Tail.LogStart) MoveLogStart(partition, start, cycle);
            moved.Add(partition);
            count++;
        }
        return count;
    }

    // Pins hold what is due, too, as long as they may.
    static long Retained(Shelf shelf, TopicRules rules, long now, out bool roll)
    {
        var (segments, start) = (shelf.Segments, shelf.Start);
        var size = segments.Sum(s => s.Size);
        roll = false;
        for (var i = 0; i < segments.Length; i++)
        {
            var segment = segments[i];
            var tooOld = rules.RetentionMs >= 0 && now - segment.LastAppend > rules.RetentionMs;
            var tooMuch = rules.RetentionBytes >= 0 && size - segment.Size >= rules.RetentionBytes;
            if ((!tooOld && !tooMuch) || shelf.IsHeld(i, now)) break;
            // As Kafka does: an active segment that is due is closed first.
            if (shelf.IsActive(i))
            {
                roll = shelf.Rolls && tooOld;
                break;
            }
            size -= segment.Size;
            start = Math.Max(start, shelf.EndOf(i));
        }
        return start;
    }

    static void Roll(Partition partition, Cycle cycle)
    {
        partition.Tail.Rolled(partition.Tail.NextOffset, cycle.Time);
        EntryWriter.Roll(cycle.Frame, partition.Topic.Id, partition.Index, partition.Tail.NextOffset);
    }

    static void MoveLogStart(Partition partition, long offset, Cycle cycle)
    {
        partition.Tail.LogStart = offset;
        EntryWriter.LogStart(cycle.Frame, partition.Topic.Id, partition.Index, offset);
    }

    async Task RetainAsync()
    {
        try
        {
            await ApplyRetentionAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is LogFailedException or ObjectDisposedException or DiskException)
        {
            // Failed or closing: the next start goes on with it.
        }
    }
}
