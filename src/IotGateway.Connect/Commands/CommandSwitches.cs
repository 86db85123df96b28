using System.Text;
using System.Text.Json;
using IotGateway.Connect.Configs;
using IotGateway.Connect.EventLog;

namespace IotGateway.Connect.Commands;

/// <summary>
/// What stops all commands: the kill switch (durable; engaged in memory first), readOnly, a clock that cannot be trusted, a store that
/// could not be read. Thread-safe.
/// </summary>
sealed class CommandSwitches
{
    static readonly byte[] KillKey = Encoding.UTF8.GetBytes("kill");
    static readonly TimeSpan ClockSlack = TimeSpan.FromSeconds(2);
    readonly IEventLog _log;
    readonly TimeProvider _time;
    readonly CommandsConfig _config;
    readonly Func<bool> _clockSynchronised;
    volatile bool _killed;
    volatile string? _storeFault;
    long _newest;

    public CommandSwitches(IEventLog log, TimeProvider time, CommandsConfig config, Func<bool> clockSynchronised)
    {
        (_log, _time, _config, _clockSynchronised) = (log, time, config, clockSynchronised);
        try
        {
            if (log.Get(LogTables.Control, KillKey) is { Length: > 0 } stored)
                _killed = JsonSerializer.Deserialize(stored.Span, CommandJson.Default.KillState) is not { Engaged: false };
        }
        catch (JsonException)
        {
            // Fail closed: what cannot be read counts as engaged.
            _killed = true;
        }
    }

    public bool Killed => _killed;

    /// <summary>Commands stay off: their durable memory cannot be trusted.</summary>
    public void StoreFault(string reason) => _storeFault = reason;

    /// <summary>The log holds something of that time: the clock must not be before it.</summary>
    public void Seen(DateTimeOffset time)
    {
        for (var newest = Volatile.Read(ref _newest); time.UtcTicks > newest;)
        {
            var before = Interlocked.CompareExchange(ref _newest, time.UtcTicks, newest);
            if (before == newest) return;
            newest = before;
        }
    }

    /// <summary>The first of them that refuses, with the reason; null when none does.</summary>
    public (string Check, string Reason)? Refusal()
    {
        if (_storeFault is { } fault) return ("store", "Commands are off, because their record cannot be read: " + fault);
        if (_killed) return ("kill-switch", "The kill switch is engaged.");
        if (_config.ReadOnly) return ("read-only", "gateway.json says commands.readOnly.");
        return null;
    }

    /// <summary>Why the clock cannot be trusted; null when it can.</summary>
    public string? ClockRefusal()
    {
        if (_config.TrustClock) return null;
        if (!_clockSynchronised()) return "The machine's clock was not synchronised since boot. Synchronise it, or set commands.trustClock.";
        return _time.GetUtcNow().UtcTicks + ClockSlack.Ticks < Volatile.Read(ref _newest)
            ? $"The machine's clock is behind the newest time in the log ({new DateTimeOffset(Volatile.Read(ref _newest), TimeSpan.Zero):O}). Set it right, or set commands.trustClock." : null;
    }

    public async Task EngageAsync(string by, CancellationToken ct)
    {
        _killed = true;
        await StoreAsync(new(true, by, _time.GetUtcNow()), ct).ConfigureAwait(false);
    }

    public async Task ReleaseAsync(string by, CancellationToken ct)
    {
        await StoreAsync(new(false, by, _time.GetUtcNow()), ct).ConfigureAwait(false);
        _killed = false;
    }

    // Both are audited; the record and the switch are one step.
    async Task StoreAsync(KillState state, CancellationToken ct)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(state, CommandJson.Default.KillState);
        var unit = new EventUnit { Reserved = true };
        unit.Put(LogTables.Control, KillKey, json);
        unit.Begin(InternalTopics.Audit, state.At.ToUnixTimeMilliseconds());
        unit.Key("kill-switch"u8);
        unit.Value(json);
        unit.End();
        await _log.CommitAsync(unit, ct).ConfigureAwait(false);
    }
}
