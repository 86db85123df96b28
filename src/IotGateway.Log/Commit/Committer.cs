using IotGateway.Log.Disk;
using IotGateway.Log.Segments;
using IotGateway.Log.Topics;
using IotGateway.Log.Wal;
using Microsoft.Extensions.Logging;

namespace IotGateway.Log.Commit;

/// <summary>
/// First stage of the pipeline, on its own thread: takes all that waits, checks it against the log's state, assigns offsets, writes one frame and
/// syncs it; the <see cref="Applier"/> does the rest while this one is at the next. Waiting longer than a sync takes is never needed: what arrives
/// meanwhile is the next frame. Owns the partitions' tails. Any failure is final: what waits fails, nothing more is taken.
/// </summary>
sealed partial class Committer
{
    /// <summary>Most bytes of a cycle, unless one unit has more: at 5 ms a sync still 400 MB/s, and few enough that the cycles under way take little memory.</summary>
    const int CycleBytes = 2 << 20;
    /// <summary>Unsynced bytes after which data acknowledged early is synced before its time: they are held in memory, and go to segments quickest from a processor's cache.</summary>
    const int MaxUnsynced = 2 << 20;
    static readonly TimeSpan Idle = TimeSpan.FromSeconds(1);

    readonly object _gate = new();
    readonly WalFiles _wal;
    readonly Mailbox<Message> _applier;
    readonly SpaceGuard _space;
    readonly TimeProvider _time;
    readonly LogClock _clock;
    readonly Func<bool, byte[]> _snapshot;
    readonly Action<Exception> _fail;
    readonly ILogger _logger;
    readonly long _checkpointAfter;
    readonly ITimer _timer;
    readonly Stack<Cycle> _pool = [];
    readonly Queue<Work> _pending = [];
    Queue<Work> _arrived = [];
    bool _stop, _timerDue, _checkpointWanted, _checkpointing;
    Exception? _failure;

    long _sequence, _durable, _recorded, _bytesSinceCheckpoint, _unsynced;
    long _syncBy = long.MaxValue, _lastFrame, _armed = long.MaxValue;
    long _units, _syncs, _syncTicks, _longestSync, _walBytes, _appended;
    long _began = -1; // of what it is at, by the clock's timestamps; -1 while it waits for work

    public Committer(Catalog topics, WalFiles wal, Mailbox<Message> applier, SpaceGuard space, TimeProvider time, LogClock clock, Func<bool, byte[]> snapshot,
        Action<Exception> fail, ILogger logger, long sequence)
    {
        (Topics, _wal, _applier, _space, _time, _clock, _snapshot, _fail, _logger) = (topics, wal, applier, space, time, clock, snapshot, fail, logger);
        _sequence = _durable = _recorded = sequence;
        _checkpointAfter = wal.FileSize * WalFiles.Count / 4;
        _timer = time.CreateTimer(_ => Ring(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public Catalog Topics { get; }
    public long Sequence => _sequence;
    /// <summary>Bytes no segment may exceed, whatever its topic says: what a disk budget drops must be a small part of it.</summary>
    public long MostSegmentBytes { get; init; } = long.MaxValue;
    public LogFigures Figures => new()
    {
        Units = Volatile.Read(ref _units),
        AppendedBytes = Volatile.Read(ref _appended),
        WalBytes = Volatile.Read(ref _walBytes),
        Syncs = Volatile.Read(ref _syncs),
        LongestSync = TimeSpan.FromTicks(Volatile.Read(ref _longestSync)),
        SyncTime = TimeSpan.FromTicks(Volatile.Read(ref _syncTicks)),
        DurableSequence = Volatile.Read(ref _durable),
        CommitUnderWay = Volatile.Read(ref _began) is >= 0 and var began ? _time.GetElapsedTime(began) : TimeSpan.Zero,
    };

    /// <exception cref="LogFailedException">The log has failed.</exception>
    /// <exception cref="ObjectDisposedException">It is being closed.</exception>
    public void Enqueue(Work work)
    {
        lock (_gate)
        {
            if (_failure is not null) throw Failed(_failure);
            ObjectDisposedException.ThrowIf(_stop, typeof(LogStore));
            _arrived.Enqueue(work);
            if (_arrived.Count == 1) Monitor.Pulse(_gate);
        }
    }

    public void WantCheckpoint()
    {
        lock (_gate)
        {
            _checkpointWanted = true;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>A checkpoint has been written and WAL files may be free, or new ones were made.</summary>
    public void FilesReleased(bool checkpoint)
    {
        lock (_gate)
        {
            if (checkpoint) _checkpointing = false;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Lets what waits be done, then ends the thread after a last checkpoint.</summary>
    public void Stop()
    {
        lock (_gate)
        {
            _stop = true;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Ends the thread at its next step; what waits fails.</summary>
    public void Abort(Exception cause)
    {
        lock (_gate)
        {
            _failure ??= cause;
            Monitor.Pulse(_gate);
        }
    }

    public void Run()
    {
        try
        {
            while (Wait())
            {
                Volatile.Write(ref _began, _time.GetTimestamp());
                if (_timerDue) OnTimer();
                if (CheckpointDue || _pending.Count > 0) OneCycle();
                Volatile.Write(ref _began, -1);
            }
            if (_failure is null) Finish();
        }
        // The edge of the thread: whatever it is, the log has failed with it.
        catch (Exception e)
        {
            _fail(e);
            Abort(e);
        }
        _timer.Dispose();
        FailWaiting();
        _applier.Close();
    }

    bool Wait()
    {
        lock (_gate)
        {
            while (_arrived.Count == 0 && _pending.Count == 0 && !_stop && !CheckpointDue && !_timerDue && _failure is null)
                Monitor.Wait(_gate);
            if (_failure is not null) return false;
            while (_arrived.TryDequeue(out var work)) _pending.Enqueue(work);
            return !_stop || _pending.Count > 0;
        }
    }

    void OneCycle()
    {
        EnsureRoom(Estimate());
        var cycle = Rent();
        var budget = Math.Min(CycleBytes, _wal.MaxFrame);
        try
        {
            while (_pending.TryPeek(out var work) && (cycle.Works.Count == 0 || cycle.Frame.Length + work.Size <= budget))
            {
                _pending.Dequeue();
                cycle.Works.Add(work);
                if (work.NeedsSpace && !_space.Allows(work.Size)) work.Fail(_space.Refusal());
                else work.Encode(this, cycle);
            }
            Commit(cycle);
        }
        catch (Exception e)
        {
            // Some of these may be with the applier already: settling is once only.
            var failure = Failed(e);
            foreach (var work in cycle.Works.ToArray()) work.Fail(failure);
            throw;
        }
    }

    void Commit(Cycle cycle)
    {
        _units += cycle.Works.Count;
        var relaxed = cycle.Works.TrueForAll(w => w.Relaxed);
        if (cycle.HasEntries) WriteFrame(cycle);
        else cycle.Sequence = _sequence;

        var wanted = (_checkpointWanted || _bytesSinceCheckpoint >= _checkpointAfter) && !_checkpointing;
        var sync = cycle.MustSync || wanted || (!relaxed && _durable < _sequence) || _unsynced > MaxUnsynced;
        if (cycle.Exposed.Count > 0 || !sync) Post(new(cycle, Written: true, SyncedTo: sync ? -1 : _durable));
        if (sync)
        {
            Sync();
            Post(new(cycle.Exposed.Count > 0 ? null : cycle, Written: false, SyncedTo: _durable));
        }
        else if (cycle.HasEntries)
        {
            _wal.StartWriting();
            _syncBy = Math.Min(_syncBy, Now + cycle.SyncWithin.Ticks);
        }
        if (wanted) Checkpoint(clean: false);
        Arm();
    }

    void WriteFrame(Cycle cycle)
    {
        if (!_wal.HasRoom(cycle.Frame.Length)) throw new InvalidOperationException("A frame is larger than its works said.");
        cycle.Sequence = ++_sequence;
        FrameFormat.Seal(cycle.Frame, new(_sequence, _durable, _wal.Salt, cycle.Time), cycle.Known);
        _recorded = _durable;
        _wal.Write(cycle.Frame, _sequence);
        _unsynced += cycle.Frame.Length;
        _lastFrame = Now;
        var padded = FrameFormat.Padded(cycle.Frame.Length);
        _bytesSinceCheckpoint += padded;
        Volatile.Write(ref _walBytes, _walBytes + padded);
    }

    void Sync()
    {
        if (_durable == _sequence && _unsynced == 0) return;
        var start = _time.GetTimestamp();
        _wal.Sync();
        Volatile.Write(ref _syncs, _syncs + 1);
        var took = _time.GetElapsedTime(start).Ticks;
        Volatile.Write(ref _syncTicks, _syncTicks + took);
        if (took > _longestSync) Volatile.Write(ref _longestSync, took);
        Volatile.Write(ref _durable, _sequence);
        _unsynced = 0;
        _syncBy = long.MaxValue;
    }

    // Room for the frame before anything is encoded: a checkpoint taken here must not see offsets that no frame has yet.
    void EnsureRoom(int length)
    {
        while (!_wal.HasRoom(length))
        {
            if (_wal.TrySwitch(_sequence + 1)) return;
            if (!_checkpointing)
            {
                Sync();
                Post(new(null, Written: false, SyncedTo: _durable));
                _wal.Retire();
                Checkpoint(clean: false);
            }
            lock (_gate)
            {
                while (_checkpointing && !_wal.MayGoOn && _failure is null) Monitor.Wait(_gate);
                if (_failure is not null) throw Failed(_failure);
            }
        }
    }

    int Estimate()
    {
        long size = FrameFormat.HeaderSize;
        var budget = Math.Min(CycleBytes, _wal.MaxFrame);
        var first = true;
        foreach (var work in _pending)
        {
            if (!first && size + work.Size > budget) break;
            size += work.Size;
            first = false;
        }
        return (int)Math.Min(size, _wal.MaxFrame);
    }

    // Everything up to the present sequence is written and synced.
    void Checkpoint(bool clean)
    {
        var cycle = Rent();
        cycle.Sequence = _sequence;
        cycle.Snapshot = _snapshot(clean);
        cycle.Clean = clean;
        _checkpointWanted = false;
        lock (_gate) _checkpointing = true;
        _bytesSinceCheckpoint = 0;
        Post(new(cycle, Written: false, SyncedTo: _durable));
    }

    void OnTimer()
    {
        lock (_gate) _timerDue = false;
        _armed = long.MaxValue;
        if (_durable < _sequence && Now >= _syncBy)
        {
            Sync();
            Post(new(null, Written: false, SyncedTo: _durable));
        }
        else if (_durable == _sequence && _recorded < _sequence && Now - _lastFrame >= Idle.Ticks) Mark();
        Arm();
    }

    // Records that the last frame is durable, so that its rot would be told from a torn tail.
    void Mark()
    {
        EnsureRoom(FrameFormat.HeaderSize);
        var cycle = Rent();
        WriteFrame(cycle);
        Sync();
        _recorded = _sequence;
        Return(cycle);
    }

    void Finish()
    {
        Sync();
        Post(new(null, Written: false, SyncedTo: _durable));
        lock (_gate)
        {
            while (_checkpointing && _failure is null) Monitor.Wait(_gate);
        }
        Checkpoint(clean: true);
    }

    void Arm()
    {
        var due = _durable < _sequence ? _syncBy : _recorded < _sequence ? Now + Idle.Ticks : long.MaxValue;
        if (due >= _armed) return;
        _armed = due;
        _timer.Change(TimeSpan.FromTicks(Math.Max(due - Now, TimeSpan.TicksPerMillisecond)), Timeout.InfiniteTimeSpan);
    }

    void Ring()
    {
        lock (_gate)
        {
            _timerDue = true;
            Monitor.Pulse(_gate);
        }
    }

    void Post(Message message)
    {
        if (!_applier.Post(message)) throw Failed(_failure ?? new LogFailedException("The applier has stopped."));
    }

    bool CheckpointDue => _checkpointWanted && !_checkpointing;

    long Now => _time.GetElapsedTime(0).Ticks; // no clock that somebody sets puts off a sync

    Cycle Rent()
    {
        Cycle? cycle;
        lock (_pool) _pool.TryPop(out cycle);
        cycle ??= new();
        cycle.Reset();
        (cycle.Time, cycle.Stamp) = (_clock.Now, LogClock.Machine(_time));
        return cycle;
    }

    public void Return(Cycle cycle)
    {
        lock (_pool)
            if (_pool.Count < 4 || (_pool.Count < 128 && cycle.Frame.Capacity <= 256 << 10)) _pool.Push(cycle);
    }

    public void CountAppended(long bytes) => Interlocked.Add(ref _appended, bytes);

    void FailWaiting()
    {
        lock (_gate)
        {
            _failure ??= new ObjectDisposedException(nameof(LogStore));
            while (_arrived.TryDequeue(out var work)) _pending.Enqueue(work);
        }
        var failure = Failed(_failure);
        while (_pending.TryDequeue(out var work)) work.Fail(failure);
    }

    static Exception Failed(Exception cause)
        => cause is LogFailedException or ObjectDisposedException ? cause
            : new LogFailedException($"The log has failed and takes nothing more; what was acknowledged is safe. {cause.Message}", cause);
}

/// <summary>From the committer to the applier.</summary>
/// <param name="Cycle">A cycle to keep until its sequence is synced.</param>
/// <param name="Written">Whether it is only written yet: what need not wait for the sync is released.</param>
/// <param name="SyncedTo">Sequence up to which all is synced; -1: nothing new.</param>
readonly record struct Message(Cycle? Cycle, bool Written, long SyncedTo);
