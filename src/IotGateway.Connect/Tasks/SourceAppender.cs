using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Text;
using IotGateway.Connect.Configs;
using IotGateway.Connect.EventLog;
using IotGateway.Connect.Health;
using IotGateway.Connect.Records;
using IotGateway.Log;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Tasks;

/// <summary>
/// The only way of a task's data into the log: readings, records, state, last values, gaps and bad-quality marks, one atomic unit at a
/// time and in order. Thread-safe: the source's batches and the runtime's own marks take turns. Lives as long as the task, across instances.
/// </summary>
sealed class SourceAppender(Shared shared, TagOwner owner, string task, CommonOptions options, TaskTags tags, TaskFigures figures, bool whole)
{
    static readonly TimeSpan FullPause = TimeSpan.FromSeconds(1);
    readonly SemaphoreSlim _turn = new(1);
    readonly ConcurrentBag<EventUnit> _spare = [];
    readonly RecordEncoder _encoder = new(owner.Connector, options, owner.Topics);
    readonly byte[] _aliveKey = Encoding.UTF8.GetBytes(owner.Connector + '\0' + task);
    readonly byte[] _alive = new byte[8];
    readonly HashSet<string> _devices = new(StringComparer.Ordinal);
    DateTime _lastData;
    int _waiting; // batches that found no place and wait for one

    /// <summary>Whether this source has ever delivered, in this or an earlier run.</summary>
    public DateTime? LastData
    {
        get
        {
            if (_lastData != default) return _lastData;
            return shared.Log.Get(LogTables.Alive, _aliveKey) is { Length: 8 } stored ? new(BinaryPrimitives.ReadInt64BigEndian(stored.Span), DateTimeKind.Utc) : null;
        }
    }

    GapKey Gap => new(owner.Connector, task);

    /// <summary>
    /// Puts a batch in line. The outer task completes when its place is fixed, the inner when it is on disk; a full disk is waited out
    /// there until <paramref name="abort"/>. Later batches of the task may be appended meanwhile.
    /// </summary>
    public async ValueTask<Task> AppendAsync(SourceBatch batch, Task previous, CancellationToken abort)
    {
        // A position must never be durable before the data below it, nor a reading before the tag's earlier one: if an earlier batch has to be
        // appended again, this one waits.
        if (batch.State.Count > 0 || Volatile.Read(ref _waiting) > 0) await previous.ConfigureAwait(false);
        await _turn.WaitAsync(abort).ConfigureAwait(false);
        try
        {
            var unit = Take();
            var dead = _encoder.DeadLetters;
            Fill(unit, batch);
            dead = _encoder.DeadLetters - dead;
            if (unit.IsEmpty)
            {
                _spare.Add(unit);
                return previous;
            }
            var submitted = await shared.Log.SubmitAsync(unit, abort).ConfigureAwait(false);
            return DurableAsync(unit, submitted, previous, batch, dead, abort);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>The process starts: what happened since the last durable data is a gap.</summary>
    public Task StartedAsync(CancellationToken ct) => MarkAsync(unit =>
    {
        if (LastData is { } from) shared.Gaps.Open(unit, Gap, from, "gateway-down");
    }, ct);

    /// <summary>The task does not run any more: opens a gap unless one is open, and marks its tags bad if they are known no longer.</summary>
    public Task LostAsync(string reason, bool markTags, CancellationToken ct) => MarkAsync(unit =>
    {
        shared.Gaps.Open(unit, Gap, LastData ?? Now(), reason);
        if (markTags) AddBad(unit, owner.Board.TakeAll(device => whole || _devices.Contains(device), reason), reason);
    }, ct);

    /// <summary>Data can flow again: closes the gap.</summary>
    public Task FoundAsync(CancellationToken ct) => MarkAsync(unit => shared.Gaps.Close(unit, Gap, Now()), ct);

    /// <summary>A device was reported lost or back.</summary>
    public Task TurnAsync(DeviceTurn turn, CancellationToken ct) => MarkAsync(unit =>
    {
        // By the time it is our turn the device may be back: then there is nothing to mark.
        Write(unit, turn);
        if (turn.Lost) AddBad(unit, owner.Board.TakeLost(turn.Device, turn.Reason), turn.Reason);
    }, ct);

    void Fill(EventUnit unit, SourceBatch batch)
    {
        var now = Now();
        unit.Lane = batch.Lane == Lane.Normal ? options.Lane : batch.Lane;
        foreach (var reading in batch.Readings) Own(reading.Tag);
        var readings = owner.Board.News(batch.Readings);
        _encoder.Add(unit, readings);
        for (var i = 0; i < batch.Records.Count; i++) _encoder.Add(unit, batch.Records[i], now);
        for (var i = 0; i < batch.State.Count; i++) StateKeys.Put(unit, owner.Connector, batch.State[i]);
        for (var i = 0; i < batch.Gaps.Count; i++) shared.Gaps.Reported(unit, owner.Connector, task, batch.Gaps[i]);
        if (owner.Board.Seen(readings) is { } turns)
            foreach (var turn in turns) Write(unit, turn);
        if (readings.Count + batch.Records.Count == 0) return;
        _lastData = now;
        BinaryPrimitives.WriteInt64BigEndian(_alive, now.Ticks);
        unit.Put(LogTables.Alive, _aliveKey, _alive);
    }

    void Own(Tag tag)
    {
        if (tag.Slot is not TagSlot slot || !ReferenceEquals(slot.Owner, owner))
            throw new InvalidOperationException($"The reading of '{tag}' has a tag of another connector or of an earlier configuration. Take tags from this instance's context.");
        _devices.Add(tag.Device);
    }

    void Write(EventUnit unit, in DeviceTurn turn)
    {
        var key = new GapKey(owner.Connector, "", turn.Device);
        if (turn.Lost) shared.Gaps.Open(unit, key, turn.From != default ? turn.From : LastData ?? Now(), turn.Reason);
        else shared.Gaps.Close(unit, key, Now());
        owner.Board.SetGap(turn.Device, turn.Lost);
    }

    void AddBad(EventUnit unit, IReadOnlyList<Tag> lost, string status)
    {
        if (lost.Count == 0) return;
        var now = Now();
        _encoder.Add(unit, [.. lost.Select(t => Reading.Bad(t, status, now))]);
    }

    async Task MarkAsync(Action<EventUnit> write, CancellationToken ct)
    {
        await _turn.WaitAsync(ct).ConfigureAwait(false);
        Task durable;
        try
        {
            var unit = Take();
            write(unit);
            unit.Reserved = true;
            durable = unit.IsEmpty ? Task.CompletedTask : await shared.Log.SubmitAsync(unit, ct).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
        await durable.WaitAsync(ct).ConfigureAwait(false);
    }

    async Task DurableAsync(EventUnit unit, Task submitted, Task previous, SourceBatch batch, long dead, CancellationToken abort)
    {
        var waits = false;
        try
        {
            while (!await HasPlaceAsync(submitted).ConfigureAwait(false))
            {
                if (!waits) Interlocked.Increment(ref _waiting);
                waits = true;
                // The log is local: no place is back-pressure to the source, not a fault of it. Earlier batches first.
                await previous.ConfigureAwait(false);
                await Task.Delay(FullPause, shared.Time, abort).ConfigureAwait(false);
                submitted = await shared.Log.SubmitAsync(unit, abort).ConfigureAwait(false);
            }
        }
        finally
        {
            if (waits) Interlocked.Decrement(ref _waiting);
        }
        await previous.ConfigureAwait(false);
        figures.In(unit.Count, unit.Bytes, shared.Time.GetUtcNow());
        shared.Metrics.In(tags, unit.Count, unit.Bytes);
        if (dead > 0)
        {
            figures.Dead(dead);
            shared.Metrics.Rejected(tags, dead, "topic");
        }
        shared.Live.Publish(batch.Readings);
        unit.Clear();
        _spare.Add(unit);
    }

    static async Task<bool> HasPlaceAsync(Task submitted)
    {
        try
        {
            await submitted.ConfigureAwait(false);
            return true;
        }
        catch (LogFullException)
        {
            return false;
        }
    }

    EventUnit Take() => _spare.TryTake(out var unit) ? unit : new();

    DateTime Now() => shared.Time.GetUtcNow().UtcDateTime;
}
