using IotGateway.Log.Commit;
using IotGateway.Log.Disk;
using IotGateway.Log.Recovery;
using IotGateway.Log.Scrub;
using IotGateway.Log.Segments;
using IotGateway.Log.Tables;
using IotGateway.Log.Topics;
using IotGateway.Log.Wal;
using Microsoft.Extensions.Logging;

namespace IotGateway.Log;

/// <summary>
/// The storage engine: topics and partitions in Kafka's segment files behind one write-ahead log with group commit, and small
/// durable tables that change in the same atomic frames as the data. Thread-safe. One process per data directory.
/// </summary>
public sealed partial class LogStore : IAsyncDisposable
{
    const int OpenFiles = 256;
    static readonly TimeSpan MostRepeating = TimeSpan.FromHours(1);

    readonly LogOptions _options;
    readonly ILogger _logger;
    readonly IDisk _disk;
    readonly FileCache _files;
    readonly SumsCache _sums;
    readonly Reserve _reserve;
    readonly SpaceWaiter _waiter;
    readonly SpaceGuard _space;
    readonly Catalog _topics;
    readonly TableSet _tables = new();
    readonly Applier _applier;
    readonly WalFiles _wal;
    readonly Housekeeper _housekeeper;
    readonly Committer _committer;
    readonly IDisposable _lock;
    readonly List<Thread> _threads = [];
    readonly TaskCompletionSource<Exception> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly ITimer _retention, _compaction, _spaceTimer, _scrub;
    readonly TimeProvider _time;
    readonly int _deferred;
    int _disposed;

    LogStore(LogOptions options, ILogger logger, TimeProvider time, IDisk disk, IDisposable directoryLock, CancellationToken ct)
    {
        (_options, _logger, _disk, _lock, _time) = (options, logger, disk, directoryLock, time);
        _files = new(disk, OpenFiles);
        _reserve = new(disk, options.Directory, options.ReserveBytes);
        _waiter = new(_reserve);
        _space = new(disk, options.Directory, _reserve, options.ReserveBytes, _waiter, time, options.BudgetBytes);
        var dirty = new List<Segment>();
        var first = new FirstWrite(disk, _files, options.Directory, logger) { Short = ShortFound };
        _sums = new(disk);
        _topics = new(options.Directory, options.TopicDefaults, disk, _files, _sums, _waiter, dirty, first) { Store = this };
        _applier = new(_topics, _tables, disk, _files, _waiter, dirty);
        _wal = new(disk, Path.Combine(options.Directory, "wal"), WalFiles.FileSizeOf(options));
        _housekeeper = new(disk, options.Directory, _wal, _reserve, _sums, time, logger);

        using var recoverer = new Recoverer(disk, options.Directory, _topics, _applier, _reserve, logger);
        var state = LoadState(recoverer, ct);
        var suspect = SuspectMark.IsSet(disk, options.Directory);
        first.Phase = suspect ? WritePhase.Renew : WritePhase.Replay;
        Id = state.Id;
        StartCount = state.StartCount + 1;
        recoverer.Run(ct);
        if (recoverer.Deferred > 0 && suspect) throw Full("what a failed sync has left in doubt has to be written again");
        if (recoverer.Deferred == 0) EndReplay(first);
        else _applier.Replayed = () => EndReplay(first);
        _deferred = recoverer.Deferred;
        StartCount = Math.Max(StartCount, _applier.StartCount + 1);
        _lostAtStart = recoverer.Quarantined;
        _examiner = new(disk, options.Directory);
        _topics.Reader.IndexFaulty = IndexFaulty;
        recoverer.Adopt(_wal, state.Sequence);

        Clock = new(time, LastTime(recoverer));
        _committer = new(_topics, _wal, _applier.Mailbox, _space, time, Clock, Tails, Fail, logger, recoverer.Sequence) { MostSegmentBytes = MostSegmentBytes };
        _applier.Return = _committer.Return;
        _applier.CountAppended = _committer.CountAppended;
        _applier.Checkpoint = _housekeeper.Post;
        _applier.State = StateAt;
        _housekeeper.Released = checkpoint =>
        {
            _committer.FilesReleased(checkpoint);
            if (checkpoint) CheckpointEnded();
        };

        // Frames to be replayed hold on to write-ahead files; when repairs were made or none is left, they are let go now, when few are left, soon.
        if (_deferred > 0 && _wal.Free == 0) throw Full("the write-ahead log is full");
        if (_deferred > 0) Log.Deferred(logger, _deferred);
        else if (suspect || recoverer.Repaired || _wal.Free == 0) CheckpointNow(recoverer.Sequence, verify: suspect);
        else if (_wal.Used > WalFiles.Count / 2) _committer.WantCheckpoint();
        if (suspect) SuspectMark.Clear(disk, options.Directory);
        if (_wal.Free == 0) _wal.FillNext();
        _space.Look(0);
        _space.Looked = LookForSpace;
        if (_deferred == 0) Sweep();
        _compaction = time.CreateTimer(_ => _ = CompactInTurnAsync(), null, options.CompactEvery, options.CompactEvery);
        _scrub = time.CreateTimer(_ => _ = ScrubInTurnAsync(), null, ScrubLook, ScrubLook);
        _retention = time.CreateTimer(_ => _ = RetainAsync(), null, options.RetainEvery, options.RetainEvery);
        _spaceTimer = time.CreateTimer(_ => LookForSpace(), null, SpaceEvery, SpaceEvery);
        WasClean = state.Clean && recoverer.Replayed == 0 && !recoverer.Repaired;
        if (recoverer.Replayed > 0) Log.Recovered(logger, recoverer.Replayed);
    }

    /// <summary>Opens or creates the log in <see cref="LogOptions.Directory"/> and recovers it.</summary>
    /// <exception cref="LogLockedException">Another process has the directory.</exception>
    /// <exception cref="LogFormatException">It holds something this version cannot read safely.</exception>
    public static Task<LogStore> OpenAsync(LogOptions options, ILogger logger, TimeProvider time, CancellationToken ct)
        => OpenAsync(options, logger, time, new LinuxDisk(), ct);

    internal static Task<LogStore> OpenAsync(LogOptions options, ILogger logger, TimeProvider time, IDisk disk, CancellationToken ct)
        => Task.Run(async () =>
        {
            disk.CreateDirectory(options.Directory);
            // Before there is a state, a start that came no further may have made the directory and not synced its name.
            if (!disk.Exists(Path.Combine(options.Directory, StateFile.Name))) disk.SyncDirectory(Path.GetDirectoryName(Path.GetFullPath(options.Directory)) ?? "/");
            var held = disk.TryLock(Path.Combine(options.Directory, "lock")) ?? throw new LogLockedException(options.Directory);
            LogStore store;
            try
            {
                store = new(options, logger, time, disk, held, ct);
            }
            catch (DiskException e) when (e.IsFull)
            {
                held.Dispose();
                throw new LogFullException($"The log in '{options.Directory}' cannot be recovered on a full disk; nothing is lost. Free some space. {e.Message}");
            }
            catch
            {
                held.Dispose();
                throw;
            }
            await store.StartAsync().ConfigureAwait(false);
            return store;
        }, ct);

    /// <summary>Identity of this log; new after a restore from backup. The broker's cluster id.</summary>
    public Guid Id { get; }

    /// <summary>Broker epoch: bumped by every start.</summary>
    public int StartCount { get; }

    /// <summary>What ages are counted by.</summary>
    public LogClock Clock { get; }

    /// <summary>Whether the last run was closed in order.</summary>
    public bool WasClean { get; }

    /// <summary>Most bytes a unit may have, entries and batches together.</summary>
    public int MaxUnitBytes => _wal.MaxFrame - FrameFormat.HeaderSize;

    /// <summary>False once the log has failed, while the disk is full, or while the log's budget is used up by what has to be kept.</summary>
    public bool Accepting => !_failed.Task.IsCompleted && !_space.Full && _disposed == 0;

    /// <summary>Completes with the cause when the log has failed for good (an fsync failed): the process must stop.</summary>
    public Task<Exception> Failed => _failed.Task;

    /// <summary>All topics, a snapshot.</summary>
    public IReadOnlyCollection<Topic> Topics => _topics.Published;

    /// <summary>The topic of that name, or null.</summary>
    public Topic? Find(string name) => _topics.Find(name);

    /// <summary>The topic with that id, or null.</summary>
    public Topic? Find(Guid id) => _topics.Find(id);

    /// <summary>Raised after topics or their partitions or configurations changed; on the applier's thread, must be quick.</summary>
    public event Action? TopicsChanged
    {
        add => _applier.TopicsChanged += value;
        remove => _applier.TopicsChanged -= value;
    }

    /// <summary>
    /// Appends all of the unit in one atomic frame and returns when it may be acknowledged: on disk, or as the topics' durability
    /// says. One result per <see cref="LogUnit.Append"/>, in order; when any of them has an error, nothing of the unit was written,
    /// except that <see cref="AppendError.DuplicateSequence"/> counts as success and carries the first offsets.
    /// Units of one caller are appended in the order of the calls. The memory given must stay unchanged until the result is there;
    /// the unit itself may be reused at once.
    /// </summary>
    /// <exception cref="LogFailedException">The log has failed; the process must stop.</exception>
    /// <exception cref="LogFullException">No space; nothing was written.</exception>
    public ValueTask<IReadOnlyList<AppendResult>> CommitAsync(LogUnit unit, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        if (unit.IsEmpty) return new([]);
        var work = new UnitWork(unit);
        if (work.Size > MaxUnitBytes) return new(work.TooLarge(MaxUnitBytes));
        if (!work.Check(_time)) return new(work.Results);
        if (work.Size > MaxUnitBytes) return new(work.TooLarge(MaxUnitBytes)); // packed anew as the topic wants it
        _committer.Enqueue(work);
        return work.Answer;
    }

    /// <summary>A table's value, as of the last applied frame; null when absent. The memory must not be changed.</summary>
    public ReadOnlyMemory<byte>? Get(string table, ReadOnlySpan<byte> key)
        => _tables.Get(table, key) is { } value ? value : default(ReadOnlyMemory<byte>?); // a bare null would become an empty memory

    /// <summary>A snapshot of a table's entries.</summary>
    public IReadOnlyList<KeyValuePair<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>> Scan(string table) => _tables.Scan(table);

    /// <summary>Asks for a checkpoint now, in the background.</summary>
    public void RequestCheckpoint() => _committer.WantCheckpoint();

    /// <summary>Figures for metrics and status.</summary>
    public LogFigures Figures => _committer.Figures with
    {
        Checkpoints = _housekeeper.Checkpoints,
        CheckpointTime = _housekeeper.CheckpointTime,
        LastCheckpoint = _housekeeper.LastCheckpoint,
        FreeBytes = _disk.FreeBytes(_options.Directory),
        ScrubProgress = ScrubProgress,
        QuarantinedBytes = Volatile.Read(ref _quarantinedBytes),
        ScrubbedBytes = Volatile.Read(ref _scrubbedBytes),
        QuarantinedRanges = Volatile.Read(ref _quarantinedRanges),
        DiskBytes = _topics.Published.Sum(t => t.Partitions.Sum(p => p.SizeBytes)),
        DroppedBytes = Volatile.Read(ref _droppedBytes),
        DroppedRecords = Volatile.Read(ref _droppedRecords),
    };

    /// <summary>Finishes what was taken, writes a last checkpoint and lets the directory go.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        await _retention.DisposeAsync().ConfigureAwait(false);
        await _compaction.DisposeAsync().ConfigureAwait(false);
        await _scrub.DisposeAsync().ConfigureAwait(false);
        await _spaceTimer.DisposeAsync().ConfigureAwait(false);
        await _closing.CancelAsync().ConfigureAwait(false);
        await _mending.ConfigureAwait(false);
        await _looking.ConfigureAwait(false);
        await _scrubbing.WaitAsync().ConfigureAwait(false);
        await _compacting.WaitAsync().ConfigureAwait(false); // a pass under way ends at its next batch
        _committer.Stop();
        _waiter.Stop(); // a full disk must not hold up the end: what is not in the segments is in the write-ahead log
        await Task.Run(() => _threads[0].Join()).ConfigureAwait(false);
        await Task.Run(() => _threads[1].Join()).ConfigureAwait(false);
        _housekeeper.Stop();
        await Task.Run(() => _threads[2].Join()).ConfigureAwait(false);
        _wal.Dispose();
        _files.Dispose();
        _lock.Dispose();
    }

    async Task StartAsync()
    {
        _waiter.Start();
        Start("log committer", _committer.Run);
        Start("log applier", () => _applier.Run(Fail));
        Start("log housekeeper", () => _housekeeper.Run(Fail));
        _mending = Task.Run(MendInTurnAsync);
        _looking = LookAroundAsync();
        try
        {
            var recorded = RecordStartAsync();
            // In force only behind the deferred frames, which wait for space; reads are served meanwhile.
            if (_deferred == 0) await recorded.ConfigureAwait(false);
        }
        catch
        {
            await DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    void EndReplay(FirstWrite first)
    {
        foreach (var partition in _topics.Published.SelectMany(t => t.Partitions)) partition.Files.EndReplay();
        first.Phase = WritePhase.Run;
    }

    LogFullException Full(string why)
        => new($"The log in '{_options.Directory}' cannot be opened on a full disk, for {why}; nothing is lost. Free some space.");

    void Start(string name, ThreadStart run)
    {
        var thread = new Thread(run) { Name = name, IsBackground = true };
        _threads.Add(thread);
        thread.Start();
    }

    // Durable before anyone is served: the start count, and new leader epochs where records that were seen may be gone.
    Task<bool> RecordStartAsync()
    {
        var bumped = WasClean ? [] : Topics.SelectMany(t => t.Partitions)
            .Where(p => _lostAtStart.Count > 0 || p.Topic.Rules.Durability != Durability.Fsync).ToList();
        var start = new Operation<bool>(64 + bumped.Count * 40, (_, cycle) =>
        {
            EntryWriter.Start(cycle.Frame, StartCount);
            foreach (var partition in bumped)
            {
                var tail = partition.Tail;
                EntryWriter.Epoch(cycle.Frame, partition.Topic.Id, partition.Index, ++tail.Epoch, tail.NextOffset);
            }
            return true;
        });
        _committer.Enqueue(start);
        return start.Answer;
    }

    RecoveredState LoadState(Recoverer recoverer, CancellationToken ct)
    {
        var wal = Path.Combine(_options.Directory, "wal");
        if (_disk.Exists(Path.Combine(_options.Directory, Backup.LogBackup.Unfinished)))
            throw new LogFormatException($"A restore into '{_options.Directory}' was cut short. Delete the folder and restore the backup again.");
        Unstage(Path.Combine(_options.Directory, StagingName)); // of a backup that was cut short
        if (StateFile.Read(_disk, _options.Directory) is { } body)
        {
            recoverer.Begin(StateBody.Head(body), ct); // side by side
            return StateBody.Read(body, _topics, _tables);
        }
        if (_disk.Files(wal).Count > 0)
            throw new LogFormatException($"'{_options.Directory}' has a write-ahead log but no state file. Nothing was changed; run 'gateway log repair', or restore it from a backup.");
        _disk.CreateDirectory(wal);
        var state = new RecoveredState(Guid.NewGuid(), 0, 0, Clean: true);
        StateFile.Replace(_disk, _options.Directory, StateBody.Write(state.Id, 0, 0, StateBody.WriteTails(_topics, clean: true), _topics, _tables));
        recoverer.Begin(state, ct);
        return state;
    }

    void CheckpointNow(long sequence, bool verify)
    {
        var cycle = new Cycle { Sequence = sequence, Snapshot = Tails(clean: false) };
        _housekeeper.Write(_applier.Job(cycle) with { Verify = verify });
    }

    byte[] StateAt(Cycle cycle)
    {
        Clock.Keep(_tables);
        return StateBody.Write(Id, StartCount, cycle.Sequence, cycle.Snapshot, _topics, _tables);
    }

    // The log's clock as far as anything tells it; null of a new log.
    long? LastTime(Recoverer recoverer)
    {
        var last = _topics.Published.SelectMany(t => t.Partitions).Select(p => p.Files.Newest).Append(LogClock.Kept(_tables) ?? long.MinValue).Append(recoverer.Newest).Max();
        return last == long.MinValue ? null : last;
    }

    // Producers that may still repeat what they wrote before the start, however long the stop was taken for, are not forgotten.
    byte[] Tails(bool clean)
        => StateBody.WriteTails(_topics, clean, Clock.Elapsed < MostRepeating ? long.MinValue : Clock.Now - ProducerStates.ExpiryMs);

    void Fail(Exception cause)
    {
        if (!_failed.TrySetResult(cause)) return;
        Log.Failed(_logger, cause);
        if (cause is DiskException { IsFull: false } failure && !failure.Path.StartsWith(Path.Combine(_options.Directory, "wal"), StringComparison.Ordinal))
            MarkSuspect();
        _waiter.Stop();
        _committer.Abort(cause);
    }

    void MarkSuspect()
    {
        try
        {
            SuspectMark.Set(_disk, _options.Directory);
        }
        catch (DiskException e)
        {
            Log.NotMarked(_logger, e.Message);
        }
    }

    static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Partition {Topic}-{Partition} could not be compacted and stays as it is: {Reason}")]
        public static partial void NotCompacted(ILogger logger, string topic, int partition, string reason);

        [LoggerMessage(Level = LogLevel.Error, Message = "The disk is full: {Frames} frames of the write-ahead log wait for space to be put into segments. Records can be read; appends are refused. Free disk space.")]
        public static partial void Deferred(ILogger logger, int frames);

        [LoggerMessage(Level = LogLevel.Error, Message = "The next start cannot be told to write into new files: {Reason}")]
        public static partial void NotMarked(ILogger logger, string reason);

        [LoggerMessage(Level = LogLevel.Critical, Message = "The log has failed and takes nothing more; what was acknowledged is safe on disk. Check the disk and start again.")]
        public static partial void Failed(ILogger logger, Exception cause);

        [LoggerMessage(Level = LogLevel.Information, Message = "Recovered {Frames} frames from the write-ahead log.")]
        public static partial void Recovered(ILogger logger, int frames);
    }
}
