using System.Buffers.Binary;
using System.Text.Json;
using IotGateway.Connect.Configs;
using IotGateway.Connect.EventLog;
using IotGateway.Connect.Records;
using IotGateway.Connect.Tasks;
using IotGateway.Sdk.Data;
using Microsoft.Extensions.Logging;

namespace IotGateway.Connect.Commands;

/// <summary>
/// Reads <c>gateway.commands</c> and leads every command to its one outcome. The reading loop makes all checks up to the lane, one
/// command after the other; lanes run side by side. A fault in one command never stops the loop.
/// </summary>
sealed partial class CommandProcessor
{
    const string Consumer = "gateway commands"; // no connector's name can hold a blank
    const string Nobody = "none"; // no producer's principal is written without its type and a colon
    static readonly TimeSpan RecoveryWait = TimeSpan.FromSeconds(10);

    readonly Shared _shared;
    readonly CommandsConfig _config;
    readonly CommandLedger _ledger;
    readonly CommandChecks _checks;
    readonly CommandSwitches _switches;
    readonly ReadBackCheck _readBack;
    readonly Func<string, ConnectorHost?> _find;
    readonly DeviceLanes _lanes = new();
    readonly Dictionary<(string Principal, string Id), string> _running = []; // to their content's hash
    readonly Lock _lock = new();
    readonly CancellationTokenSource _stop = new();
    readonly ILogger _logger;
    readonly IEventReader _reader;
    readonly IReadOnlyList<long> _ends;
    Task _loop = Task.CompletedTask;
    int _busy;

    public CommandProcessor(Shared shared, CommandsConfig config, CommandSwitches switches, CommandLedger ledger, Func<string, ConnectorHost?> find)
    {
        (_shared, _config, _switches, _ledger, _find) = (shared, config, switches, ledger, find);
        _logger = shared.Loggers.CreateLogger<CommandProcessor>();
        _checks = new(shared, config, switches, new(shared.Time), find);
        _readBack = new(shared);
        switches.Seen(ledger.NewestTime);
        foreach (var (_, alive) in shared.Log.Scan(LogTables.Alive))
            if (alive.Length == 8) switches.Seen(new(BinaryPrimitives.ReadInt64BigEndian(alive.Span), TimeSpan.Zero));
        // What is in the topic now was appended before this process served it.
        _ends = shared.Log.Ends(InternalTopics.Commands);
        _reader = shared.Log.Read(Consumer, static topic => topic == InternalTopics.Commands, fromEnd: false);
    }

    public void Start()
    {
        foreach (var (principal, entry) in _ledger.Unfinished()) Track(() => RecoverAsync(principal, entry));
        _loop = Task.Run(ReadAsync, CancellationToken.None);
    }

    /// <summary>Takes no more; what has passed its gate gets a moment to end.</summary>
    public async Task StopAsync(TimeSpan moment)
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        using var limit = new CancellationTokenSource(moment, _shared.Time);
        await _loop.WaitAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        while (Volatile.Read(ref _busy) > 0 && !limit.IsCancellationRequested)
            await Task.Delay(TimeSpan.FromMilliseconds(10), _shared.Time, limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _reader.DisposeAsync().ConfigureAwait(false);
    }

    async Task ReadAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                foreach (var record in await _reader.ReadAsync(100, 1 << 20, _stop.Token).ConfigureAwait(false))
                {
                    _ledger.Reading(record);
                    await ReceiveAsync(record).ConfigureAwait(false);
                }
            }
            catch (UnreadableException e)
            {
                Log.Unreadable(_logger, e, e.Message);
            }
            catch (Exception e) when (!_stop.IsCancellationRequested)
            {
                Log.Broken(_logger, e);
                _switches.StoreFault(e.Message);
                return;
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    async Task ReceiveAsync(SinkRecord record)
    {
        var received = _shared.Time.GetUtcNow();
        JsonElement root;
        try
        {
            root = CommandParser.Open(record.Value);
        }
        catch (FormatException e)
        {
            // Whose it is cannot be known, so it gets no outcome: that would be one on every site it is replicated to.
            await PassAsync(record, e.Message).ConfigureAwait(false);
            return;
        }
        var (gateway, id) = CommandParser.Peek(root);
        if (gateway is null)
        {
            await PassAsync(record, "'gateway' is missing.").ConfigureAwait(false);
            return;
        }
        if (gateway != _shared.Gateway)
        {
            _shared.Metrics.ForeignCommand();
            await PassAsync(record, null).ConfigureAwait(false);
            return;
        }
        // What a header claims does not count.
        var principal = _shared.Log.OriginOf(record.Topic, record.Partition, record.Offset) ?? Nobody;
        CommandRequest request;
        try
        {
            request = CommandParser.Parse(root);
        }
        catch (FormatException e)
        {
            await MalformedAsync(record, principal, id, e.Message, received).ConfigureAwait(false);
            return;
        }
        await AdmitAsync(new(_shared.Gateway, record, request, principal, received) { Content = root }).ConfigureAwait(false);
    }

    async Task AdmitAsync(CommandCase c)
    {
        var (principal, id, record) = (c.Principal, c.Request.Id, c.Record!);
        string? running;
        lock (_lock) running = _running.GetValueOrDefault((principal, id));
        var known = _ledger.Find(principal, id);
        if (known is not null && known.Partition == record.Partition && known.Offset == record.Offset)
        {
            // Read again after a restart: this very record has its intent or outcome already.
            await PassAsync(record, null).ConfigureAwait(false);
            return;
        }
        var seen = known?.Hash ?? running;
        if (Stranger(c) is { } stranger)
        {
            await EndAsync(c, seen is null ? stranger : stranger with { Final = false, First = new(InternalTopics.Outcomes, known?.Sequence, Pending: known?.Sequence is null) }).ConfigureAwait(false);
            return;
        }
        if (seen is { } hash)
        {
            await EndAsync(c, Repeat(c, hash, known?.Sequence)).ConfigureAwait(false);
            return;
        }
        var beforeStart = record.Partition < _ends.Count && record.Offset < _ends[record.Partition];
        if (_checks.Admit(c, beforeStart) is { } refusal)
        {
            await EndAsync(c, refusal).ConfigureAwait(false);
            return;
        }
        lock (_lock) _running[(principal, id)] = c.Request.Hash;
        Interlocked.Increment(ref _busy);
        if (_lanes.TryEnter(c.Request.Connector, c.Request.Device, c.Request.Tag!, real: !c.Request.DryRun, place => RunAsync(c, place))) return;
        Interlocked.Decrement(ref _busy);
        await EndAsync(c, c.Refused("busy", "Too many commands are waiting for this device.")).ConfigureAwait(false);
    }

    async Task RunAsync(CommandCase c, DeviceLanes.Place place)
    {
        try
        {
            var outcome = await new CommandRun(c, _shared, _checks, _ledger, _reader, _readBack, _logger, _stop.Token).RunAsync(place).ConfigureAwait(false);
            await EndAsync(c, outcome).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // No outcome yet: the next start finds the record, or its intent, and ends it.
        }
        catch (Exception e)
        {
            Log.Failed(_logger, e, c.Request.Id);
            _switches.StoreFault(e.Message);
        }
        finally
        {
            Interlocked.Decrement(ref _busy);
        }
    }

    async Task EndAsync(CommandCase c, Outcome outcome)
    {
        await _ledger.OutcomeAsync(_reader, outcome, c.Record, c.Request.Hash, CancellationToken.None).ConfigureAwait(false);
        _switches.Seen(_shared.Time.GetUtcNow());
        _shared.Metrics.Command(c.Request.Connector, outcome.Status);
        if (!outcome.Final) return;
        lock (_lock) _running.Remove((c.Principal, c.Request.Id));
    }

    Outcome? Stranger(CommandCase c)
        => c.Principal == Nobody && !_config.TrustTopic ? c.Refused("principal", "It carries no principal, as what was replicated or written by a connector. Such commands are executed with commands.trustTopic only.")
            : c.Principal != Nobody && _config.Principals.Count > 0 && !_config.Principals.Contains(c.Principal) ? c.Refused("principal", $"{c.Principal} is not in commands.principals.")
            : null;

    static Outcome Repeat(CommandCase c, string hash, long? sequence)
    {
        var outcome = hash == c.Request.Hash
            ? c.Outcome("duplicate", reason: "This command was seen before.")
            : c.Refused("id-reused", "Another command with this id was seen before.");
        return outcome with { Final = false, First = new(InternalTopics.Outcomes, sequence, Pending: sequence is null) };
    }

    async Task MalformedAsync(SinkRecord record, string principal, string? id, string reason, DateTimeOffset received)
    {
        var hash = "malformed"; // the content cannot be compared: a repeat of the id in any form is another command
        var known = id is null ? null : _ledger.Find(principal, id);
        bool running;
        lock (_lock) running = id is not null && _running.ContainsKey((principal, id));
        if (known is not null && known.Partition == record.Partition && known.Offset == record.Offset)
        {
            await PassAsync(record, null).ConfigureAwait(false);
            return;
        }
        var outcome = new Outcome
        {
            Gateway = _shared.Gateway, Id = id, Status = "refused", Check = "parse", Reason = reason, Principal = principal,
            Final = known is null && !running && id is not null, Times = new() { Received = CommandJson.Time(received) },
        };
        await _ledger.OutcomeAsync(_reader, outcome, record, hash, CancellationToken.None).ConfigureAwait(false);
        _shared.Metrics.Command("", outcome.Status);
    }

    // A crash between intent and outcome: never sent again; where it can be read back, the outcome says what is there.
    async Task RecoverAsync(string principal, CommandEntry entry)
    {
        var c = new CommandCase(_shared.Gateway, null, CommandParser.Parse(entry.Command!.Value), principal, entry.At) { Sent = true, IntentAt = entry.At };
        var observed = Value.None;
        var host = _find(c.Request.Connector);
        var definition = c.Request.Tag is { } tag ? host?.Definition(c.Request.Device, tag) : null;
        if (host is not null && definition?.Write?.ReadBack is { } rule && CommandValue.TryConvert(c.Request.Value, definition.Type, out var wanted)
            && await RunsAsync(host, c.Request.Device).ConfigureAwait(false))
            (_, observed) = await _readBack.LookAsync(host, c.Request.Device, c.Request.Tag!, wanted, rule, DateTimeOffset.MaxValue, _stop.Token).ConfigureAwait(false);
        if (_stop.IsCancellationRequested) return;
        var outcome = c.Outcome("unknown", reason: "The gateway went down between the intent and the outcome. It is not sent again.", observed: observed);
        await _ledger.OutcomeAsync(null, outcome, null, entry.Hash, CancellationToken.None).ConfigureAwait(false);
        _shared.Metrics.Command(c.Request.Connector, outcome.Status);
    }

    async Task<bool> RunsAsync(ConnectorHost host, string device)
    {
        using var limit = new CancellationTokenSource(RecoveryWait, _shared.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _stop.Token);
        while (!either.IsCancellationRequested && host.TaskOf(device) is { } task)
        {
            var changed = task.Changed;
            if (task.Live is not null) return true;
            await changed.WaitAsync(either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        return false;
    }

    Task PassAsync(SinkRecord record, string? reason)
    {
        if (reason is not null) Log.Malformed(_logger, record.Offset, reason);
        return _ledger.PassAsync(_reader, record,
            reason is null ? null : unit => DeadLetter.Add(unit, "", record, "command: " + reason, _shared.Time.GetUtcNow()), CancellationToken.None);
    }

    void Track(Func<Task> work)
    {
        Interlocked.Increment(ref _busy);
        _ = Task.Run(async () =>
        {
            try
            {
                await work().ConfigureAwait(false);
            }
            catch (Exception e)
            {
                Log.Failed(_logger, e, "of the run before");
            }
            finally
            {
                Interlocked.Decrement(ref _busy);
            }
        });
    }

    static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "Commands are off: gateway.commands cannot be read or its outcomes not be written. Restart the gateway when the cause is removed.")]
        public static partial void Broken(ILogger logger, Exception error);

        [LoggerMessage(2, LogLevel.Error, "Command {Id}: its outcome could not be written. Commands are off until the gateway is restarted.")]
        public static partial void Failed(ILogger logger, Exception error, string id);

        [LoggerMessage(3, LogLevel.Warning, "The record at offset {Offset} of gateway.commands is no command: {Reason} It is in gateway.dead-letters.")]
        public static partial void Malformed(ILogger logger, long offset, string reason);

        [LoggerMessage(4, LogLevel.Error, "{Reason} They were passed over and not executed. Send commands uncompressed or with gzip.")]
        public static partial void Unreadable(ILogger logger, Exception error, string reason);
    }
}
