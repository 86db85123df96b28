using System.Threading.Tasks.Sources;
using IotGateway.Log.Records;
using IotGateway.Log.Records.Packers;
using IotGateway.Log.Tables;
using IotGateway.Log.Transactions;
using IotGateway.Log.Wal;

namespace IotGateway.Log.Commit;

/// <summary>
/// A <see cref="LogUnit"/> on its way. Holds copies of the unit's lists, so that the unit may be reused at once; the bytes stay the caller's.
/// </summary>
sealed class UnitWork : Work, IValueTaskSource<IReadOnlyList<AppendResult>>
{
    readonly AppendEntry[] _appends;
    readonly PutEntry[] _puts;
    readonly EndEntry[] _ends;
    readonly AppendResult[] _results;
    readonly bool _reserved;
    int _size;
    ManualResetValueTaskSourceCore<IReadOnlyList<AppendResult>> _source = new() { RunContinuationsAsynchronously = true };

    public UnitWork(LogUnit unit)
    {
        _appends = [.. unit.Appends];
        _puts = [.. unit.Puts];
        _ends = [.. unit.Ends];
        _results = new AppendResult[_appends.Length];
        _reserved = unit.Reserved;
        Measure();
    }

    void Measure()
    {
        long size = 0;
        size += (long)_ends.Length * (EntryWriter.AppendOverhead + Marker.Size);
        foreach (var append in _appends) size += EntryWriter.AppendOverhead + append.Batches.Length + Origins.Size(append.Origin);
        foreach (var put in _puts) size += 1 + 4 + put.Table.Length * 3L + 4 + put.Key.Length + 4 + (put.Value?.Length ?? 0);
        _size = (int)Math.Min(size, int.MaxValue);
    }

    public override int Size => _size;
    public override bool Relaxed => _puts.Length == 0 && _ends.Length == 0 && Array.TrueForAll(_appends, a => a.Origin is null && a.Partition.Topic.Rules.Durability != Durability.Fsync);
    public override bool NeedsSpace => _appends.Length > 0 && !_reserved;

    public ValueTask<IReadOnlyList<AppendResult>> Answer => new(this, _source.Version);

    /// <summary>What can be checked without the log's state, on the caller's thread; false when the unit is refused already.</summary>
    public bool Check(TimeProvider time)
    {
        var fine = true;
        for (var i = 0; i < _appends.Length; i++)
        {
            var append = _appends[i];
            var rules = append.Partition.Topic.Rules;
            var demands = RecordRules.Of(rules, time.GetUtcNow().ToUnixTimeMilliseconds());
            if (!append.Received) demands = demands with { NeedsKeys = false };
            var verdict = BatchCheck.Check(append.Batches, rules.MaxMessageBytes, append.Received, demands);
            if (verdict.Error != AppendError.None) fine = false;
            else if (append.Received && Corrected(append.Batches.Span, verdict) is { } greatest) _appends[i] = append with { MaxTimestamp = greatest };
            if (verdict.Error == AppendError.None && rules.Packing is { } packing && !Pack(ref _appends[i], packing, rules.MaxMessageBytes))
            {
                fine = false;
                verdict = new(AppendError.TooLarge) { Problem = $"It opens to more than the {rules.MaxMessageBytes} bytes of max.message.bytes when packed as compression.type says." };
            }
            _results[i] = new(verdict.Error, -1, -1, -1) { Problem = verdict.Problem, Refusals = verdict.Refusals };
        }
        if (!fine) Refuse();
        else Measure();
        return fine;
    }

    // On the caller's thread like the rest of the check, so that connections pack side by side and the committer does not.
    static bool Pack(ref AppendEntry append, Packing packing, int maxBatchBytes)
    {
        if (BatchPacker.Pack(append.Batches, packing, maxBatchBytes) is not { } packed) return false;
        append = append with { Batches = packed };
        return true;
    }

    // Only where there is one batch, as clients send them.
    static long? Corrected(ReadOnlySpan<byte> batches, in BatchVerdict verdict)
    {
        var batch = new RecordBatch(batches);
        return batch.Size == batches.Length && verdict.MaxTimestamp is { } greatest && greatest != batch.MaxTimestamp ? greatest : null;
    }

    public IReadOnlyList<AppendResult> Results => _results;

    /// <summary>The answer to a unit that no frame can hold.</summary>
    /// <exception cref="ArgumentException">It has no appends to answer for.</exception>
    public IReadOnlyList<AppendResult> TooLarge(int most)
    {
        if (_results.Length == 0) throw new ArgumentException($"A unit has at most {most} bytes; raise the size of the write-ahead log.");
        Array.Fill(_results, new(AppendError.TooLarge, -1, -1, -1));
        return _results;
    }

    public override void Encode(Committer committer, Cycle cycle)
    {
        if (!Admit())
        {
            Refuse();
            return;
        }
        for (var i = 0; i < _appends.Length; i++)
            if (_results[i].Error == AppendError.None) _results[i] = Append(_appends[i], committer.MostSegmentBytes, cycle);
        foreach (var put in _puts) EntryWriter.Put(cycle.Frame, put.Table, put.Key.Span, put.Value);
        foreach (var end in _ends)
            if (!end.Partition.Topic.Closing && end.Partition.Tail.Producers.TakesMarker(end.ProducerId, end.Epoch))
                Append(new(end.Partition, Marker.Build(end.ProducerId, end.Epoch, end.Commit, cycle.Stamp)), committer.MostSegmentBytes, cycle);
        cycle.MustSync |= _puts.Length + _ends.Length > 0;
    }

    protected override void Answered() => _source.SetResult(_results);

    protected override void Failed(Exception cause) => _source.SetException(cause);

    IReadOnlyList<AppendResult> IValueTaskSource<IReadOnlyList<AppendResult>>.GetResult(short token) => _source.GetResult(token);
    ValueTaskSourceStatus IValueTaskSource<IReadOnlyList<AppendResult>>.GetStatus(short token) => _source.GetStatus(token);
    void IValueTaskSource<IReadOnlyList<AppendResult>>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _source.OnCompleted(continuation, state, token, flags);

    bool Admit()
    {
        var fine = true;
        for (var i = 0; i < _appends.Length; i++)
        {
            _results[i] = Admit(_appends[i]);
            fine &= _results[i].Error is AppendError.None or AppendError.DuplicateSequence;
        }
        return fine;
    }

    static AppendResult Admit(in AppendEntry append)
    {
        var (partition, bytes) = append;
        if (partition.Topic.Closing) return new(AppendError.UnknownPartition, -1, -1, -1);
        for (var rest = bytes.Span; !rest.IsEmpty; rest = rest[new RecordBatch(rest).Size..])
        {
            var batch = new RecordBatch(rest);
            var error = partition.Tail.Producers.Check(batch, append.NewEpoch, out var first);
            if (error == AppendError.DuplicateSequence && batch.Size == bytes.Length)
                return new(error, first, first + batch.LastOffsetDelta, -1);
            if (error == AppendError.DuplicateSequence) error = AppendError.OutOfOrderSequence;
            if (error != AppendError.None) return new(error, -1, -1, -1);
        }
        return new(AppendError.None, -1, -1, -1);
    }

    static AppendResult Append(in AppendEntry append, long mostSegmentBytes, Cycle cycle)
    {
        var (partition, bytes) = append;
        var (tail, rules) = (partition.Tail, partition.Topic.Rules);
        var first = tail.NextOffset;
        var next = first + Records(bytes.Span);
        var segment = tail.Rolls(rules, mostSegmentBytes, bytes.Length, next - 1, cycle.Time) ? first : tail.SegmentBase;
        if (append.Origin is { } origin)
        {
            EntryWriter.Put(cycle.Frame, Origins.Table, Origins.Key(partition.Topic.Id, partition.Index, first), Origins.Value(next - 1, origin));
            cycle.MustSync = true;
        }
        var at = EntryWriter.Append(cycle.Frame, partition.Topic.Id, partition.Index, first, segment, bytes.Span);
        Stamp(cycle, at, bytes.Length, tail, first, rules.LogAppendTime ? cycle.Stamp : -1, append.MaxTimestamp);
        tail.Appended(segment, next, bytes.Length, cycle.Time);
        if (rules.Durability == Durability.Fsync) cycle.MustSync = true;
        else
        {
            cycle.Exposed.Add(new(partition, next, at, bytes.Length));
            if (rules.SyncWithin < cycle.SyncWithin) cycle.SyncWithin = rules.SyncWithin;
        }
        return new(AppendError.None, first, next - 1, rules.LogAppendTime ? cycle.Stamp : -1);
    }

    static long Records(ReadOnlySpan<byte> batches)
    {
        long count = 0;
        for (; !batches.IsEmpty; batches = batches[new RecordBatch(batches).Size..]) count += new RecordBatch(batches).LastOffsetDelta + 1L;
        return count;
    }

    static void Stamp(Cycle cycle, int at, int length, PartitionTail tail, long offset, long appendTime, long? maxTimestamp)
    {
        for (var end = at + length; at < end;)
        {
            var bytes = cycle.Frame.At(at, end - at);
            var batch = new RecordBatch(bytes);
            var size = batch.Size;
            BatchStamp.Apply(bytes[..size], offset, tail.Epoch, appendTime, maxTimestamp);
            tail.Producers.Appended(batch, offset, cycle.Time);
            if (size >= KnownSum.Least) cycle.Known.Add(new(at + RecordBatch.ChecksummedFrom, size - RecordBatch.ChecksummedFrom, batch.Crc));
            offset += batch.LastOffsetDelta + 1L;
            at += size;
        }
    }

    void Refuse()
    {
        for (var i = 0; i < _results.Length; i++)
            if (_results[i].Error is AppendError.None or AppendError.DuplicateSequence) _results[i] = new(AppendError.NotWritten, -1, -1, -1);
    }
}
