using IotGateway.Log.Compaction;
using IotGateway.Log.Disk;
using IotGateway.Log.Segments;
using IotGateway.Log.Tables;
using IotGateway.Log.Topics;
using IotGateway.Log.Wal;

namespace IotGateway.Log.Commit;

/// <summary>
/// Second stage of the pipeline, on its own thread: puts durable frames in force (segments, tables, topics), advances the watermarks, answers the
/// callers, tells the watchers. Recovery uses the same code, frame by frame, before the threads start. Any failure but a full disk is final.
/// </summary>
sealed class Applier
{
    readonly Catalog _topics;
    readonly TableSet _tables;
    readonly IDisk _disk;
    readonly FileCache _files;
    readonly SpaceWaiter _space;
    readonly List<Segment> _dirty;
    readonly Queue<Cycle> _waiting = [];
    readonly List<Partition> _touched = [];
    readonly List<string> _doomed = [];
    int _deferred;
    Action<byte[]>? _staging;

    public Applier(Catalog topics, TableSet tables, IDisk disk, FileCache files, SpaceWaiter space, List<Segment> dirty)
    {
        (_topics, _tables, _disk, _files, _space, _dirty) = (topics, tables, disk, files, space, dirty);
        Registry = new(topics, tables) { Make = Make, Discard = Discard };
    }

    public Mailbox<Message> Mailbox { get; } = new(4);
    public event Action? TopicsChanged;

    /// <summary>What it knows tables and topics by.</summary>
    public Registry Registry { get; }

    /// <summary>Where finished cycles go.</summary>
    public Action<Cycle> Return { get; set; } = _ => { };
    public Action<CheckpointJob> Checkpoint { get; set; } = _ => { };
    public Func<Cycle, byte[]> State { get; set; } = null!;
    public Action<long> CountAppended { get; set; } = _ => { };
    /// <summary>Starts so far; the start entry sets it.</summary>
    public int StartCount { get; private set; }

    /// <summary>Called when the last of the deferred frames is in force.</summary>
    public Action Replayed { get; set; } = () => { };

    /// <summary>Takes a durable frame found at the start, to be put in force when there is space; it may be read at once.</summary>
    public void Defer(Cycle cycle)
    {
        _deferred++;
        _waiting.Enqueue(cycle);
        Expose(cycle);
    }

    /// <summary>Runs until the mailbox is closed; on failure reports it and fails all that waits.</summary>
    public void Run(Action<Exception> fail)
    {
        try
        {
            while (Mailbox.Take(out var message)) Handle(message);
            FailWaiting(new ObjectDisposedException(nameof(LogStore)));
        }
        // The edge of the thread: whatever it is, the log has failed with it.
        catch (Exception e)
        {
            fail(e);
            Mailbox.Close();
            while (Mailbox.Take(out var message))
                if (message.Cycle is { } cycle) _waiting.Enqueue(cycle);
            FailWaiting(new LogFailedException($"The log has failed; this was written but could not be put in force. {e.Message}", e));
        }
    }

    /// <summary>Puts a frame in force.</summary>
    public void Apply(ReadOnlyMemory<byte> frame, long time)
    {
        Stage(frame, time);
        Flush();
    }

    /// <summary>The same, but for what it appends, which is in the segments after <see cref="Flush"/>; the frame must stay until then.</summary>
    public void Stage(ReadOnlyMemory<byte> frame, long time)
    {
        var entries = new EntryReader(frame);
        var changed = false;
        while (entries.MoveNext())
        {
            switch (entries.Kind)
            {
                case EntryKind.Append:
                    if (Find(entries.Topic, entries.Number) is not { } partition) break;
                    if (!partition.Files.HasStaged) _touched.Add(partition);
                    partition.Transactions.Observe(entries.Bytes.Span);
                    partition.Files.Stage(entries.Bytes, entries.SegmentBase, time, partition.Transactions);
                    break;
                case EntryKind.Put or EntryKind.Remove:
                    Registry.Apply(entries);
                    break;
                case EntryKind.LogStart:
                    Flush();
                    if (Find(entries.Topic, entries.Number) is { } moved) MoveLogStart(moved, entries.Offset);
                    break;
                case EntryKind.Roll:
                    Flush();
                    Find(entries.Topic, entries.Number)?.Files.Roll(entries.Offset, time);
                    break;
                case EntryKind.Replace:
                    Flush();
                    if (Find(entries.Topic, entries.Number) is { } cleaned) Replace(cleaned, Replacement.Read(entries.Bytes.Span, cleaned.Files.Directory));
                    break;
                case EntryKind.Epoch:
                    Find(entries.Topic, entries.Number)?.BumpEpoch(entries.Epoch, entries.Offset);
                    break;
                case EntryKind.Start:
                    StartCount = entries.Number;
                    break;
                default:
                    Flush();
                    changed |= Registry.Apply(entries);
                    break;
            }
        }
        if (changed) TopicsChanged?.Invoke();
    }

    void Handle(Message message)
    {
        if (message.Cycle is { } cycle)
        {
            _waiting.Enqueue(cycle);
            if (message.Written) Expose(cycle);
        }
        while (_waiting.TryPeek(out var next) && next.Sequence <= message.SyncedTo)
        {
            if (next.HasEntries) Apply(next.Frame.Written, next.Time);
            foreach (var work in next.Works) work.Complete();
            _waiting.Dequeue();
            if (_deferred > 0 && --_deferred == 0) Replayed();
            if (next.Snapshot is not null) Checkpoint(Job(next));
            Return(next);
        }
    }

    // What need not wait for the sync: readable from the frame's buffer, and answered.
    static void Expose(Cycle cycle)
    {
        foreach (var (partition, next, at, length) in cycle.Exposed)
        {
            partition.Transactions.Observe(cycle.Frame.Written.Span.Slice(at, length));
            partition.Memory.Add(next, cycle.Frame.Written.Slice(at, length));
            partition.Advance(next, length);
        }
        foreach (var work in cycle.Works)
            if (work.Relaxed) work.Complete();
    }

    /// <summary>Writes what is staged into the segments, and shows it.</summary>
    public void Flush()
    {
        foreach (var partition in _touched)
        {
            var before = partition.Files.SizeBytes;
            partition.Files.Flush();
            partition.Memory.RemoveThrough(partition.Files.Written);
            var bytes = partition.Files.SizeBytes - before;
            CountAppended(bytes);
            partition.Advance(partition.Files.Written, (int)bytes);
        }
        _touched.Clear();
    }

    void Make(Topic topic, int from, int to)
    {
        for (var i = from; i < to; i++)
        {
            var segments = topic.Committed[i].Files;
            SetAside(segments.Directory);
            segments.Create(topic.Id);
        }
    }

    void Discard(Topic topic)
    {
        foreach (var partition in topic.Partitions)
        {
            // Its files' names may soon be those of a new topic's: a checkpoint must not take them for its own.
            _dirty.RemoveAll(partition.Files.Segments.Contains);
            SetAside(partition.Files.Directory);
            partition.Tell(0);
        }
    }

    // A directory of that name holds nothing of the topic being made: it was deleted, or its creation is being replayed.
    void SetAside(string directory)
    {
        if (_disk.Exists(directory))
        {
            var aside = $"{directory}.{Guid.NewGuid():N}-delete";
            _disk.Rename(directory, aside);
            _doomed.Add(aside);
        }
        _files.Forget(directory + Path.DirectorySeparatorChar); // behind it, as below
    }

    /// <summary>Has what nothing refers to any more deleted with the next checkpoint.</summary>
    public void Doom(IEnumerable<string> paths) => _doomed.AddRange(paths);

    void MoveLogStart(Partition partition, long offset)
    {
        partition.MoveLogStart(offset);
        _tables.Origins.Trim(partition.Topic.Id, partition.Index, offset);
        var dropped = partition.Files.DropBelow(offset);
        if (dropped.Count > 0) Discard(partition, dropped);
    }

    // Once in place, replaying it finds nothing left to do. Retention may have been quicker: then the new files are nobody's, and the next start's sweep
    // takes them away.
    void Replace(Partition partition, Replacement replacement)
    {
        var segments = partition.Files;
        segments.Changing();
        try
        {
            if (segments.Take(replacement) is not { } old) return;
            partition.Transactions.Forget(replacement.Forgotten);
            if (replacement.New.Size > 0) PutInPlace(replacement);
            _topics.Sums.Forget(replacement.New);
            Discard(partition, replacement.New.Size > 0 ? old.Skip(1) : old);
        }
        finally
        {
            segments.Changing();
        }
    }

    // The log first: the next start and the inspector tell by it how far this came.
    void PutInPlace(Replacement replacement)
    {
        foreach (var path in replacement.Made)
        {
            if (_disk.Exists(replacement.Beside(path))) _disk.Rename(replacement.Beside(path), path);
            _files.Forget(path); // behind it: a reader may have opened the old one until then
        }
        // The old one's, by the same name.
        if (replacement.New.TransactionIndexBytes == 0) _disk.Delete(replacement.New.TransactionIndexPath);
    }

    void Discard(Partition partition, IEnumerable<Segment> dropped)
    {
        _dirty.RemoveAll(dropped.Contains);
        // Renamed first: by the time they are deleted, a new topic's files may have these names.
        foreach (var path in dropped.SelectMany(s => s.Paths))
        {
            if (_disk.Exists(path)) _disk.Rename(path, $"{path}.{Guid.NewGuid():N}.deleted");
            _files.Forget(path);
        }
        _doomed.AddRange(_disk.Files(partition.Files.Directory).Where(f => f.EndsWith(".deleted", StringComparison.Ordinal))
            .Select(f => Path.Combine(partition.Files.Directory, f)));
    }

    /// <summary>Has the next checkpoint's state handed over while all files are as it says; called on the applier's thread, must not throw.</summary>
    public void HandOver(Action<byte[]> staging) => Volatile.Write(ref _staging, staging);

    /// <summary>A checkpoint's job, with what has to be synced before it counts and deleted after.</summary>
    public CheckpointJob Job(Cycle cycle)
    {
        var state = State(cycle);
        if (Interlocked.Exchange(ref _staging, null) is { } stage) stage(state);
        var job = new CheckpointJob(cycle.Sequence, state, [.. _dirty], [.. _doomed], cycle.Clean);
        foreach (var segment in _dirty)
        {
            segment.Checkpoint = cycle.Sequence;
            segment.Dirty = false;
        }
        _dirty.Clear();
        _doomed.Clear();
        return job;
    }

    Partition? Find(Guid id, int index)
        => _topics.Taken(id) is { } topic && index < topic.Committed.Count ? topic.Committed[index] : null;

    void FailWaiting(Exception cause)
    {
        _space.Stop();
        foreach (var cycle in _waiting)
            foreach (var work in cycle.Works) work.Fail(cause);
    }
}

/// <summary>A checkpoint to be written by the <see cref="Housekeeper"/>.</summary>
sealed record CheckpointJob(long Sequence, byte[] State, IReadOnlyList<Segment> Dirty, IReadOnlyList<string> Doomed, bool Clean)
{
    /// <summary>Whether what was synced has to be read back from the disk before it counts.</summary>
    public bool Verify { get; init; }
}
