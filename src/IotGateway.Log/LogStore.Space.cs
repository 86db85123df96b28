using IotGateway.Log.Commit;
using IotGateway.Log.Segments;
using IotGateway.Log.Space;
using IotGateway.Log.Tables;
using IotGateway.Log.Wal;

namespace IotGateway.Log;

/// <content>
/// The disk budget: when the log has more bytes than <see cref="LogOptions.BudgetBytes"/>, or the disk has little left, the oldest go by
/// <see cref="DropPlan"/>'s order. Decided on the committer's thread, one frame for the log starts and for the entries of
/// <see cref="DroppedRange.Table"/>, so that no record goes untold. When nothing may go, appends are refused.
/// </summary>
public sealed partial class LogStore
{
    const int SegmentShare = 16, LeastSegment = 64 << 10;
    const int StepPartitions = 64;
    const int StepBytes = 64 + StepPartitions * 640; // an entry with a topic's name of 249 in the worst case, a roll and a log start
    static readonly TimeSpan SpaceEvery = TimeSpan.FromSeconds(1);

    readonly SemaphoreSlim _spacing = new(1, 1);
    IReadOnlyList<Pin>? _pins;
    long _droppedBytes, _droppedRecords, _spaceSequence;
    int _spaceWanted;

    /// <summary>
    /// Those who still need what lies ahead of their positions. While null with <see cref="LogOptions.AwaitsPins"/>, nothing is deleted.
    /// </summary>
    public IReadOnlyList<Pin>? Pins
    {
        get => Volatile.Read(ref _pins);
        set
        {
            Volatile.Write(ref _pins, value);
            WantSpace();
        }
    }

    /// <summary>What was deleted to make space and not told yet: whoever tells it deletes the entries in the unit that does.</summary>
    public IReadOnlyList<DroppedRange> Dropped
        => [.. Scan(DroppedRange.Table).Select(e => DroppedRange.Read(e.Key, e.Value.Span)).OrderBy(d => d.Topic, StringComparer.Ordinal).ThenBy(d => d.Partition).ThenBy(d => d.FromOffset)];

    /// <summary>Raised when <see cref="Dropped"/> has more; on a thread of the pool.</summary>
    public event Action? RecordsDropped;

    // So that what goes at once is a small part of what is kept.
    long MostSegmentBytes => _options.BudgetBytes is { } budget ? Math.Max(LeastSegment, budget / SegmentShare) : long.MaxValue;

    bool MayDelete => !_options.AwaitsPins || Pins is not null;

    // The batches' share: index entries take less than the 200th part of what they index.
    long Budget => _options.BudgetBytes is { } budget ? budget - budget / 200 : long.MaxValue;

    long OverBudget => _options.BudgetBytes is null ? 0 : _topics.Published.Sum(t => t.Partitions.Sum(p => p.SizeBytes)) - Budget;

    /// <summary>Makes space if it has to be made; also done by itself, at once when much is appended. Returns how many bytes went.</summary>
    internal async ValueTask<long> KeepSpaceAsync(CancellationToken ct)
    {
        await _spacing.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            Volatile.Write(ref _spaceWanted, 0);
            if (!MayDelete) return 0;
            var (gone, stuck) = (0L, false);
            while (!stuck && OverBudget > 0)
            {
                var step = await StepAsync(Turn.HighOverdue, diskFull: false, ct).ConfigureAwait(false);
                gone += step.Bytes;
                stuck = !step.Any && OverBudget > 0;
            }
            _space.OverBudget = stuck; // not what has come since: something may go for that
            // What went before has to be off the disk before more of it may be wanted.
            if (_space.Shortage > 0 && _housekeeper.Cleaned >= _spaceSequence) gone += (await StepAsync(Turn.LowAhead, diskFull: true, ct).ConfigureAwait(false)).Bytes;
            if (gone == 0) return 0;
            RequestCheckpoint(); // deletes the files
            RecordsDropped?.Invoke();
            return gone;
        }
        finally
        {
            _spacing.Release();
        }
    }

    async Task<Step> StepAsync(Turn rollUpTo, bool diskFull, CancellationToken ct)
    {
        var step = await DoAsync(StepBytes, (committer, cycle) => Drop(committer, cycle, rollUpTo, diskFull), ct).ConfigureAwait(false);
        if (step.Any) _spaceSequence = step.Sequence;
        Interlocked.Add(ref _droppedBytes, step.Bytes);
        Interlocked.Add(ref _droppedRecords, step.Records);
        return step;
    }

    // On the committer's thread: the tails are ahead of the segments by what is under way.
    Step Drop(Committer committer, Cycle cycle, Turn rollUpTo, bool diskFull)
    {
        var (now, pins) = (cycle.Time, Pins ?? []);
        var partitions = committer.Topics.Known.Where(t => t is { Closing: false, Rules.Deletes: true }).SelectMany(t => t.Committed)
            .Where(p => p.Files.Segments.Length > 0).Select(p => (Partition: p, Shelf: ShelfOf(p, pins))).ToList();
        var need = diskFull ? _space.Shortage : OverBudget - partitions.Sum(p => Going(p.Shelf));
        var (bytes, records) = (0L, 0L);
        var any = DropPlan.Decide(partitions.Select(p => p.Shelf), need, rollUpTo, StepPartitions, now);
        foreach (var (partition, shelf) in partitions)
        {
            var (topic, tail) = (partition.Topic, partition.Tail);
            if (shelf.Roll) Roll(partition, cycle);
            if (shelf.DropTo < 0) continue;
            var (first, last) = shelf.Taken;
            var range = new DroppedRange(topic.Name, partition.Index, Math.Max(tail.LogStart, shelf.Segments[first].BaseOffset), shelf.DropTo,
                MachineTime(shelf.Segments[first].Created), MachineTime(shelf.Segments[last].LastAppend),
                shelf.Segments[first..(last + 1)].Sum(s => s.Size), diskFull);
            EntryWriter.Put(cycle.Frame, DroppedRange.Table, RangeKey.Of(topic.Id, partition.Index, range.FromOffset), range.Write());
            MoveLogStart(partition, shelf.DropTo, cycle);
            bytes += range.Bytes;
            records += range.ToOffset - range.FromOffset;
        }
        return new(any, bytes, records, committer.Sequence + 1);
    }

    DateTimeOffset MachineTime(long moment) => DateTimeOffset.FromUnixTimeMilliseconds(Clock.ToMachine(moment));

    static Shelf ShelfOf(Partition partition, IReadOnlyList<Pin> pins)
    {
        var (segments, tail) = (partition.Files.Segments, partition.Tail);
        var holds = new List<Hold>(0);
        foreach (var pin in pins)
            if (pin.Position(partition) is { } position) holds.Add(new(position, (long)pin.MaxAge.TotalMilliseconds));
        return new(segments, tail.LogStart, tail.NextOffset, tail.SegmentBytes > 0 && tail.SegmentBase == segments[^1].BaseOffset, partition.Topic.Rules.Lane, holds);
    }

    // Bytes of segments that a log start under way takes.
    static long Going(Shelf shelf)
    {
        long bytes = 0;
        for (var i = 0; !shelf.IsActive(i) && shelf.EndOf(i) <= shelf.Start; i++) bytes += shelf.Segments[i].Size;
        return bytes;
    }

    void WantSpace()
    {
        if (Interlocked.Exchange(ref _spaceWanted, 1) == 0) _ = Task.Run(KeepSpaceInTurnAsync);
    }

    // After each look at the disk, on the committer's thread, and every second.
    void LookForSpace()
    {
        if (MayDelete && (_space.OverBudget || OverBudget > 0 || _space.Shortage > 0)) WantSpace();
    }

    async Task KeepSpaceInTurnAsync()
    {
        try
        {
            await KeepSpaceAsync(_closing.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is LogFailedException or ObjectDisposedException or OperationCanceledException)
        {
            // Failed or closing: the next start goes on with it.
        }
    }

    readonly record struct Step(bool Any, long Bytes, long Records, long Sequence);
}
