using System.Text.Json;
using IotGateway.Connect.Configs;
using IotGateway.Connect.EventLog;
using IotGateway.Connect.Tasks;
using Microsoft.Extensions.Logging;

namespace IotGateway.Connect.Commands;

/// <summary>The local counter for commands: hands them in as any client would, shows outcomes, holds the kill switch. Thread-safe.</summary>
public sealed partial class CommandDesk
{
    /// <summary>Principal of commands handed in here, by REST. No Kafka client can have it: theirs are of type User.</summary>
    public const string Principal = "gateway:rest";

    readonly Shared _shared;
    readonly CommandsConfig _config;
    readonly CommandSwitches _switches;
    readonly CommandProcessor? _processor;
    readonly Lock _lock = new();
    readonly Dictionary<string, List<TaskCompletionSource<string>>> _waiting = new(StringComparer.Ordinal);

    internal CommandDesk(Shared shared, CommandsConfig config, Func<string, ConnectorHost?> find)
    {
        (_shared, _config) = (shared, config);
        _switches = new(shared.Log, shared.Time, config, shared.Options.ClockSynchronised);
        if (!config.Enabled) return;
        try
        {
            var ledger = new CommandLedger(shared.Log, shared.Time);
            ledger.Written += OnWritten;
            _processor = new(shared, config, _switches, ledger, find);
        }
        catch (Exception e) when (e is JsonException or InvalidDataException)
        {
            // Fail closed: without its memory the gateway might actuate a machine twice.
            _switches.StoreFault(e.Message);
            Log.Off(shared.Loggers.CreateLogger<CommandDesk>(), e);
        }
    }

    /// <summary>Whether the kill switch is engaged: every command is refused.</summary>
    public bool Killed => _switches.Killed;

    /// <summary>Why no command is executed at present; null when they are.</summary>
    public string? Off => !_config.Enabled ? "gateway.json says commands.enabled: false." : _switches.Refusal()?.Reason ?? _switches.ClockRefusal();

    /// <summary>Writes a command to <c>gateway.commands</c>, durably, and waits for its outcome (the record's JSON; the repeat of an id has one that is not final), or null when <paramref name="wait"/> passes.</summary>
    /// <param name="json">The command as in the topic; must carry an <c>id</c>.</param>
    /// <param name="wait">How long to wait; zero: not at all.</param>
    /// <param name="ct">Cancels waiting, not the command.</param>
    /// <exception cref="FormatException">It is no JSON object with an <c>id</c>.</exception>
    /// <exception cref="InvalidOperationException">Commands are not looked at here.</exception>
    public async Task<string?> SubmitAsync(ReadOnlyMemory<byte> json, TimeSpan wait, CancellationToken ct)
    {
        if (CommandParser.Peek(CommandParser.Open(json)).Id is not { } id) throw new FormatException("'id' is missing.");
        if (_processor is null) throw new InvalidOperationException("Commands are off: " + Off);
        var answer = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (!_waiting.TryGetValue(id, out var others)) _waiting[id] = others = [];
            others.Add(answer);
        }
        try
        {
            var unit = new EventUnit { Origin = Principal };
            unit.Begin(InternalTopics.Commands, _shared.Time.GetUtcNow().ToUnixTimeMilliseconds());
            unit.Value(json.Span);
            unit.End();
            await _shared.Log.CommitAsync(unit, ct).ConfigureAwait(false);
            return wait > TimeSpan.Zero ? await answer.Task.WaitAsync(wait, _shared.Time, ct).ConfigureAwait(false) : null;
        }
        catch (TimeoutException)
        {
            return null;
        }
        finally
        {
            lock (_lock)
                if (_waiting.TryGetValue(id, out var others) && others.Remove(answer) && others.Count == 0) _waiting.Remove(id);
        }
    }

    /// <summary>Engages the kill switch: in memory at once, then on disk.</summary>
    public Task EngageKillAsync(string by, CancellationToken ct) => _switches.EngageAsync(by, ct);

    /// <summary>Releases it, on disk first.</summary>
    public Task ReleaseKillAsync(string by, CancellationToken ct) => _switches.ReleaseAsync(by, ct);

    internal void Start() => _processor?.Start();

    internal Task StopAsync() => _processor?.StopAsync(_shared.Options.DrainTimeout * 0.5) ?? Task.CompletedTask;

    void OnWritten(Outcome written, string outcome)
    {
        // Another principal may use the same id for a command of its own.
        if (written.Id is not { } id || written.Principal != Principal) return;
        lock (_lock)
            if (_waiting.TryGetValue(id, out var others)) others.ForEach(o => o.TrySetResult(outcome));
    }

    static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "Commands are off: what is remembered of earlier ones cannot be read. Restore the data directory from a backup, or ask for help before enabling them.")]
        public static partial void Off(ILogger logger, Exception error);
    }
}
