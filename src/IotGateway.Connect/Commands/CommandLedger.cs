using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using IotGateway.Connect.EventLog;
using IotGateway.Log;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Commands;

/// <summary>
/// The durable memory of commands: what was seen, what was about to be sent, what became of it. Every entry, its outcome and the
/// reader's position are one unit, and units are written one at a time, so that neither can run ahead of the other. Thread-safe.
/// </summary>
/// <remarks>
/// Entries are kept at least <see cref="Kept"/>; older repeats are stopped by their deadline. Throws on loading what it cannot read:
/// then commands stay off.
/// </remarks>
sealed class CommandLedger
{
    /// <summary>How long a command is remembered.</summary>
    public static readonly TimeSpan Kept = TimeSpan.FromHours(24);

    const int PrunedAtOnce = 16;
    static readonly byte[] HeadKey = Encoding.UTF8.GetBytes("outcomes");
    static readonly TimeSpan FullPause = TimeSpan.FromSeconds(1);
    readonly IEventLog _log;
    readonly TimeProvider _time;
    readonly SemaphoreSlim _turn = new(1);
    readonly Lock _lock = new();
    readonly Dictionary<string, CommandEntry> _entries = new(StringComparer.Ordinal);
    readonly Queue<string> _byAge = [];
    readonly LinkedList<(SinkRecord Record, bool Done)> _reading = [];
    ChainHead _head = new(0, "", default);

    public CommandLedger(IEventLog log, TimeProvider time)
    {
        (_log, _time) = (log, time);
        foreach (var (key, value) in log.Scan(LogTables.Commands).Select(e => (Encoding.UTF8.GetString(e.Key.Span), Entry(e.Value))).OrderBy(e => e.Item2.At))
        {
            _entries[key] = value;
            _byAge.Enqueue(key);
        }
        if (log.Get(LogTables.Control, HeadKey) is { Length: > 0 } head)
            _head = JsonSerializer.Deserialize(head.Span, CommandJson.Default.ChainHead) ?? throw new InvalidDataException("The head of the outcomes is empty.");
    }

    /// <summary>Called with each outcome, and its JSON, once it is on disk.</summary>
    public event Action<Outcome, string>? Written;

    /// <summary>The newest time the ledger has seen.</summary>
    public DateTimeOffset NewestTime => _head.At;

    /// <summary>Intents without an outcome: of the run before.</summary>
    public IReadOnlyList<(string Principal, CommandEntry Entry)> Unfinished()
    {
        lock (_lock) return [.. _entries.Where(e => e.Value.Sequence is null).Select(e => (e.Key[..e.Key.IndexOf('\0', StringComparison.Ordinal)], e.Value))];
    }

    public CommandEntry? Find(string principal, string id)
    {
        lock (_lock) return _entries.GetValueOrDefault(Key(principal, id));
    }

    /// <summary>Takes note that a record is being worked on: the position does not pass it until it is done.</summary>
    public void Reading(SinkRecord record)
    {
        lock (_lock) _reading.AddLast((record, false));
    }

    /// <summary>Writes that the command is about to be sent.</summary>
    public Task IntentAsync(IEventReader reader, string principal, string id, SinkRecord record, CommandEntry entry, CancellationToken ct)
        => WriteAsync(unit =>
        {
            Put(unit, Key(principal, id), entry);
            Settle(unit, reader, record);
            return null;
        }, ct);

    /// <summary>Writes an outcome. A final one also ends its entry.</summary>
    /// <param name="reader">Whose position moves; null when there is no record to settle.</param>
    /// <param name="outcome">Without sequence and hash.</param>
    /// <param name="record">The command's record.</param>
    /// <param name="hash">The command's content; null when it could not be read.</param>
    /// <param name="ct">Gives up.</param>
    public Task OutcomeAsync(IEventReader? reader, Outcome outcome, SinkRecord? record, string? hash, CancellationToken ct)
        => WriteAsync(unit =>
        {
            var numbered = Number(unit, outcome);
            if (outcome is { Final: true, Id: { } id } && hash is not null)
            {
                var known = Find(outcome.Principal, id);
                Put(unit, Key(outcome.Principal, id), new()
                {
                    Hash = hash, At = _time.GetUtcNow(), Sequence = _head.Sequence,
                    Partition = record?.Partition ?? known?.Partition ?? 0, Offset = record?.Offset ?? known?.Offset ?? -1,
                });
            }
            if (reader is not null && record is not null) Settle(unit, reader, record);
            return numbered;
        }, ct);

    /// <summary>Lets the position pass a record that leaves no outcome, with an optional dead letter.</summary>
    public Task PassAsync(IEventReader reader, SinkRecord record, Action<EventUnit>? also, CancellationToken ct)
        => WriteAsync(unit =>
        {
            also?.Invoke(unit);
            Settle(unit, reader, record);
            return null;
        }, ct);

    // The unit is built and written in one turn: what is later in the chain is later in the log. A full disk is waited out, with the same unit.
    async Task WriteAsync(Func<EventUnit, (Outcome Outcome, string Json)?> build, CancellationToken ct)
    {
        await _turn.WaitAsync(ct).ConfigureAwait(false);
        (Outcome Outcome, string Json)? outcome;
        try
        {
            var unit = new EventUnit { Reserved = true };
            outcome = build(unit);
            Prune(unit);
            while (!unit.IsEmpty)
            {
                try
                {
                    await _log.CommitAsync(unit, CancellationToken.None).ConfigureAwait(false);
                    break;
                }
                catch (LogFullException)
                {
                    await Task.Delay(FullPause, _time, ct).ConfigureAwait(false);
                }
            }
        }
        finally
        {
            _turn.Release();
        }
        if (outcome is { } written) Written?.Invoke(written.Outcome, written.Json);
    }

    (Outcome Outcome, string Json) Number(EventUnit unit, Outcome outcome)
    {
        var now = _time.GetUtcNow();
        var numbered = outcome with { Sequence = _head.Sequence + 1, Previous = _head.Hash, Times = outcome.Times with { Decided = CommandJson.Time(now) } };
        var json = JsonSerializer.SerializeToUtf8Bytes(numbered, CommandJson.Default.Outcome);
        var hash = Convert.ToHexStringLower(SHA256.HashData(json));
        _head = new(numbered.Sequence, hash, now > _head.At ? now : _head.At);
        unit.Begin(InternalTopics.Outcomes, now.ToUnixTimeMilliseconds());
        if (outcome.Id is { } id) unit.Key(Encoding.UTF8.GetBytes(id));
        unit.Header("hash", hash);
        if (outcome.Connector is { } connector) unit.Header("connector", connector);
        unit.Value(json);
        unit.End();
        unit.Put(LogTables.Control, HeadKey, JsonSerializer.SerializeToUtf8Bytes(_head, CommandJson.Default.ChainHead));
        return (numbered, Encoding.UTF8.GetString(json));
    }

    void Put(EventUnit unit, string key, CommandEntry entry)
    {
        lock (_lock)
        {
            if (!_entries.ContainsKey(key)) _byAge.Enqueue(key);
            _entries[key] = entry;
        }
        unit.Put(LogTables.Commands, Encoding.UTF8.GetBytes(key), JsonSerializer.SerializeToUtf8Bytes(entry, CommandJson.Default.CommandEntry));
    }

    // The position moves over the unbroken run of records that are done.
    void Settle(EventUnit unit, IEventReader reader, SinkRecord record)
    {
        lock (_lock)
        {
            for (var node = _reading.First; node is not null; node = node.Next)
                if (ReferenceEquals(node.Value.Record, record)) node.Value = (record, true);
            SinkRecord? last = null;
            while (_reading.First is { Value.Done: true } first)
            {
                last = first.Value.Record;
                _reading.RemoveFirst();
            }
            if (last is not null) reader.Settle(unit, last);
        }
    }

    void Prune(EventUnit unit)
    {
        lock (_lock)
        {
            for (var i = 0; i < PrunedAtOnce && _byAge.TryPeek(out var key); i++)
            {
                if (_entries[key] is not { Sequence: not null } entry || _time.GetUtcNow() - entry.At <= Kept) return;
                _byAge.Dequeue();
                _entries.Remove(key);
                unit.Delete(LogTables.Commands, Encoding.UTF8.GetBytes(key));
            }
        }
    }

    static CommandEntry Entry(ReadOnlyMemory<byte> json)
        => JsonSerializer.Deserialize(json.Span, CommandJson.Default.CommandEntry) ?? throw new InvalidDataException("An entry of a command is empty.");

    static string Key(string principal, string id) => principal + '\0' + id;
}
