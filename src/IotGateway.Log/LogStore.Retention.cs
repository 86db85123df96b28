using IotGateway.Log.Commit;
using IotGateway.Log.Wal;

namespace IotGateway.Log;

/// <content>Old closed segments go by age and size; what goes is decided by log-start entries, so a replay decides the same.</content>
public sealed partial class LogStore
{
    const int MovesPerPass = 1000;

    /// <summary>Lets go what the topics' retention no longer covers; also done by itself every <see cref="LogOptions.RetainEvery"/>. Returns how many partitions lost segments.</summary>
    public async ValueTask<int> ApplyRetentionAsync(CancellationToken ct)
    {
        var total = 0;
        int moved;
        do
        {
            moved = await DoAsync(64 + MovesPerPass * 40, (committer, cycle) =>
            {
                var count = 0;
                foreach (var partition in committer.Topics.Known.Where(t => t is { Closing: false, Rules.Deletes: true }).SelectMany(t => t.Committed))
                {
                    if (count == MovesPerPass) break;
                    var start = Retained(partition, cycle.Time);
                    if (start <= partition.Tail.LogStart) continue;
                    partition.Tail.LogStart = start;
                    EntryWriter.LogStart(cycle.Frame, partition.Topic.Id, partition.Index, start);
                    count++;
                }
                return count;
            }, ct).ConfigureAwait(false);
            total += moved;
        }
        while (moved == MovesPerPass);
        if (total > 0) RequestCheckpoint(); // deletes the files
        return total;
    }

    // Age is that of the youngest record, but not less than the last append's: a record stamped in the future must not keep its segment.
    static long Retained(Partition partition, long now)
    {
        var rules = partition.Topic.Rules;
        var segments = partition.Files.Segments;
        var size = segments.Sum(s => s.Size);
        var start = partition.Tail.LogStart;
        for (var i = 0; i + 1 < segments.Length; i++)
        {
            var segment = segments[i];
            var youngest = segment.MaxTimestamp < 0 ? segment.LastAppend : Math.Min(segment.MaxTimestamp, segment.LastAppend);
            var tooOld = rules.RetentionMs >= 0 && now - youngest > rules.RetentionMs;
            var tooMuch = rules.RetentionBytes >= 0 && size - segment.Size >= rules.RetentionBytes;
            if (!tooOld && !tooMuch) break;
            size -= segment.Size;
            start = segments[i + 1].BaseOffset;
        }
        return start;
    }

    async Task RetainAsync()
    {
        try
        {
            await ApplyRetentionAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is LogFailedException or ObjectDisposedException)
        {
            // Failed or closing: the next start goes on with it.
        }
    }
}
