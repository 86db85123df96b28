using IotGateway.Connect.EventLog;
using IotGateway.Connect.Tasks;
using IotGateway.Sdk.Commands;
using IotGateway.Sdk.Config;
using Microsoft.Extensions.Logging;

namespace IotGateway.Connect.Commands;

/// <summary>
/// One admitted command in its device's lane: waits for the device if its tag says so, makes the last checks at the gate, sends, reads
/// back. Always ends in one outcome, unless <paramref name="stop"/> ends it before the gate or during the read-back: then the next start decides.
/// </summary>
sealed partial class CommandRun(CommandCase c, Shared shared, CommandChecks checks, CommandLedger ledger, IEventReader reader, ReadBackCheck readBack, ILogger logger, CancellationToken stop) : ISendGate
{
    static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(30);
    readonly TaskCompletionSource _passed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    int _asked;
    Outcome? _refusal;

    /// <summary>Runs it to its outcome.</summary>
    /// <exception cref="OperationCanceledException">Stopped before there was an outcome.</exception>
    public async Task<Outcome> RunAsync(DeviceLanes.Place place)
    {
        if (await TargetAsync(place).ConfigureAwait(false) is not var (target, refusal)) throw new OperationCanceledException(stop);
        if (refusal is not null) return refusal;
        if (c.Request.DryRun) return checks.AtGate(c) ?? c.Outcome("done", reason: "A dry run: every check passed, nothing was sent.");
        var result = await ExecuteAsync(target!).ConfigureAwait(false);
        c.AnsweredAt = shared.Time.GetUtcNow();
        return await JudgeAsync(result).ConfigureAwait(false);
    }

    async ValueTask<bool> ISendGate.EnterAsync()
    {
        // Whoever asks twice wants to send twice.
        if (Interlocked.Exchange(ref _asked, 1) != 0) return false;
        _refusal = checks.AtGate(c);
        if (_refusal is not null) return false;
        stop.ThrowIfCancellationRequested();
        c.IntentAt = shared.Time.GetUtcNow();
        try
        {
            await ledger.IntentAsync(reader, c.Principal, c.Request.Id, c.Record!, new()
            {
                Hash = c.Request.Hash, Partition = c.Record!.Partition, Offset = c.Record.Offset, At = c.IntentAt.Value, Command = c.Content,
            }, stop).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            _refusal = c.Refused("store", "The intent could not be written: " + e.Message);
            return false;
        }
        _refusal = checks.AfterIntent(c);
        if (_refusal is not null) return false;
        c.SentAt = shared.Time.GetUtcNow();
        c.Sent = true;
        _passed.TrySetResult();
        return true;
    }

    static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    // The running instance; or the outcome that ends the command; or nothing when the gateway stops.
    async Task<(ICommandTarget? Target, Outcome? Refusal)?> TargetAsync(DeviceLanes.Place place)
    {
        for (;;)
        {
            if (stop.IsCancellationRequested) return null;
            if (checks.Deadline(c) is { } late) return (null, late);
            // A connector that got another configuration meanwhile is another one.
            if (checks.Target(c) is { } gone) return (null, gone);
            var task = c.Host!.TaskOf(c.Request.Device);
            var changed = task?.Changed;
            if (task?.Live is { } live)
                return live is ICommandTarget target ? (target, null) : (null, c.Refused("target", $"Connector '{c.Request.Connector}' takes no commands."));
            var state = task?.Status.State ?? RunState.Stopped;
            if (c.Definition!.Write!.WhenOffline != WhenOffline.Wait) return (null, c.Refused("offline", $"Connector '{c.Request.Connector}' is {state.ToString().ToLowerInvariant()}."));
            if (place.Superseded.IsCompleted) return (null, c.Refused("superseded", "A newer command for the same tag came while the device was away."));
            // A look now and then, too: while the connector is being replaced there is no task whose change would be told.
            var left = Max(c.Request.Deadline - shared.Time.GetUtcNow(), TimeSpan.FromMilliseconds(1));
            using var deadline = new CancellationTokenSource(left < Look ? left : Look, shared.Time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, stop);
            await Task.WhenAny(place.Superseded, changed ?? Task.Delay(Timeout.InfiniteTimeSpan, shared.Time, either.Token), Task.Delay(Timeout.InfiniteTimeSpan, shared.Time, either.Token)).ConfigureAwait(false);
        }
    }

    async Task<CommandResult> ExecuteAsync(ICommandTarget target)
    {
        using var untilGate = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var command = new Command { Id = c.Request.Id, Device = c.Request.Device, Tag = c.Request.Tag, Value = c.Value, Deadline = c.Request.Deadline };
        var work = Task.Run(async () => await target.ExecuteAsync(command, this, untilGate.Token).ConfigureAwait(false), CancellationToken.None);
        // Until the gate the deadline and a stop end it; after it only the device does, for a bounded time.
        var late = Task.Delay(Max(c.Request.Deadline - shared.Time.GetUtcNow(), TimeSpan.Zero), shared.Time, stop);
        await Task.WhenAny(work, _passed.Task, late).ConfigureAwait(false);
        if (!work.IsCompleted && !_passed.Task.IsCompleted)
        {
            // From now on the gate stays shut, unless it is being passed this very moment.
            if (Interlocked.Exchange(ref _asked, 1) == 0 && !stop.IsCancellationRequested) _refusal = c.Expired("deadline", "Its deadline passed before it could be sent.");
            await untilGate.CancelAsync().ConfigureAwait(false);
        }
        try
        {
            return await work.WaitAsync(AnswerTimeout, shared.Time, CancellationToken.None).ConfigureAwait(false);
        }
        catch (TimeoutException e) when (!work.IsCompleted)
        {
            _ = work.ContinueWith(static t => _ = t.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            return c.Sent ? CommandResult.Unknown($"No answer within {AnswerTimeout.TotalSeconds:0} s.") : CommandResult.Failed(null, "The connector did not come to send it: " + e.Message);
        }
        catch (Exception e)
        {
            if (!c.Sent && _refusal is null && stop.IsCancellationRequested) throw new OperationCanceledException(stop);
            return c.Sent ? CommandResult.Unknown(e.Message) : CommandResult.Failed(null, e.Message);
        }
    }

    async Task<Outcome> JudgeAsync(CommandResult result)
    {
        if (_refusal is not null && !c.Sent) return _refusal;
        var rule = c.Definition!.Write!.ReadBack;
        switch (result.Kind)
        {
            case CommandResultKind.Done when c.Sent:
                if (rule is null) return c.Outcome("done", code: result.Code, reason: result.Reason);
                var (confirmed, observed) = await LookAsync(rule).ConfigureAwait(false);
                // Looking was cut short: the next start finds the intent, looks again and says unknown, which is true.
                if (!confirmed) stop.ThrowIfCancellationRequested();
                return c.Outcome(confirmed ? "confirmed" : "mismatch", code: result.Code, observed: observed,
                    reason: confirmed ? result.Reason : $"The device accepted it, but '{rule.Tag ?? c.Request.Tag}' did not show it within {rule.Within.TotalSeconds:0.###} s.");
            case CommandResultKind.Done:
                Log.NoGate(logger, c.Request.Connector, c.Request.Id);
                return c.Outcome("unknown", code: result.Code, reason: "The connector says done but never asked at the gate: a fault in the plugin.");
            case CommandResultKind.Failed: return c.Outcome("failed", code: result.Code, reason: result.Reason);
            case CommandResultKind.NotSent when !c.Sent: return c.Outcome("failed", code: result.Code, reason: result.Reason ?? "The connector did not send it.");
            default:
                var seen = rule is null ? default : (await LookAsync(rule).ConfigureAwait(false)).Observed;
                return c.Outcome("unknown", code: result.Code, reason: result.Reason ?? "Nobody knows whether it reached the device.", observed: seen);
        }
    }

    Task<(bool Confirmed, Sdk.Data.Value Observed)> LookAsync(ReadBack rule)
        => readBack.LookAsync(c.Host!, c.Request.Device, c.Request.Tag!, c.Value, rule, c.SentAt ?? DateTimeOffset.MaxValue, stop);

    static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "{Connector}: answered command {Id} as done without asking at the gate. Report this to the plugin's author and disable the plugin's commands until then.")]
        public static partial void NoGate(ILogger logger, string connector, string id);
    }
}
