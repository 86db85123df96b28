using IotGateway.Connect.Configs;
using IotGateway.Connect.EventLog;
using IotGateway.Connect.Health;
using IotGateway.Sdk;
using IotGateway.Sdk.Health;
using Microsoft.Extensions.Logging;

namespace IotGateway.Connect.Tasks;

/// <summary>
/// Runs one task of a connector through all its lives: make an instance, open it, move its data, and when anything fails, close,
/// dispose, pause longer each time, and start anew. All of a task's retry, state and shutdown logic is here. The loop is the only
/// one that touches the instance's life cycle; orders, reports and pictures may come from any thread.
/// </summary>
sealed partial class TaskRunner
{
    readonly Shared _shared;
    readonly TagOwner _owner;
    readonly ILogger _logger;
    readonly TaskTags _tags;
    readonly SourceAppender _appender;
    readonly TurnQueue _turns;
    readonly Lock _lock = new();
    Order _order;
    Task _loop = Task.CompletedTask;
    RunState? _told;
    volatile TaskStatus _status;
    volatile TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    volatile IConnector? _live;
    volatile ConnectorConfig _config;
    volatile object _part;

    public TaskRunner(Shared shared, TagOwner owner, ConnectorConfig config, int number, string key, object part, bool only)
    {
        (_shared, _owner, _config, _part, Number, Key) = (shared, owner, config, part, number, key);
        _logger = shared.Loggers.CreateLogger("IotGateway.Connectors." + config.Name);
        _tags = new(config.Name, config.Plugin.Info.Name, number);
        _appender = new(shared, owner, key, config.Common, _tags, Figures, only);
        _turns = new(turn => _appender.TurnAsync(turn, CancellationToken.None), e => Log.NotMarked(_logger, e, config.Name));
        _order = new(RunState.Stopped, CloseReason.Stop);
        _status = new(RunState.Stopped, shared.Time.GetUtcNow());
    }

    public int Number { get; }
    public string Key { get; }
    public TaskTags Tags => _tags;
    public TaskFigures Figures { get; } = new();
    public TaskStatus Status => _status;

    /// <summary>The instance, while it is Running; null otherwise.</summary>
    public IConnector? Live => _status.State == RunState.Running ? _live : null;

    /// <summary>Completes with the next change of state. Take it before looking at the state.</summary>
    public Task Changed => _changed.Task;

    bool IsSource => _config.Plugin.Info.Roles.HasFlag(ConnectorRoles.Source);

    /// <summary>Starts the loop with its first order.</summary>
    public void Start(RunState target)
    {
        _order = new(target, CloseReason.Stop);
        var first = _order;
        _loop = Task.Run(() => LoopAsync(first), CancellationToken.None);
    }

    /// <summary>Gives a new order; completes when the running instance is closed and the order is being followed.</summary>
    public Task OrderAsync(RunState target, CloseReason reason, bool last = false)
    {
        Order order = new(target, reason, last), before;
        lock (_lock)
        {
            if (_order.Last) return _loop;
            (before, _order) = (_order, order);
        }
        before.SupersedeBy(order);
        return last ? _loop : order.Taken.Task;
    }

    /// <summary>Offers a changed configuration to the running instance. Null when it took it, else why it needs a new instance.</summary>
    public async Task<string?> TryApplyAsync(ConnectorConfig config, object part, CancellationToken ct)
    {
        if (Live is not { } live || !config.Plugin.CanReconfigure(live)) return "it cannot take changes while it runs";
        var result = await Bounded.RunAsync("TryApplyAsync", token => config.Plugin.TryApplyAsync(live, part, token),
            config.Common.OpenTimeout, _shared.Options.CloseTimeout, _shared.Time, ct).ConfigureAwait(false);
        if (result is ApplyResult.NeedsRestart needs) return needs.Why;
        (_config, _part) = (config, part);
        foreach (var failing in ((ApplyResult.Applied)result).Failing) Report(failing);
        return null;
    }

    /// <summary>A context for an instance of this task.</summary>
    public RuntimeContext Context(bool probe) => new(_shared, _owner, _logger, probe, probe ? static _ => { } : Report);

    async Task LoopAsync(Order order)
    {
        if (IsSource && _config.Common.Enabled) await QuietlyAsync(_appender.StartedAsync).ConfigureAwait(false);
        for (; !order.Last; order = order.Next!)
        {
            Set(order.Target == RunState.Running ? RunState.Connecting : order.Target);
            order.Taken.TrySetResult();
            if (order.Target == RunState.Running) await KeepRunningAsync(order).ConfigureAwait(false);
            else await RestAsync(order, order.Target, null).ConfigureAwait(false);
        }
        Set(RunState.Stopped);
    }

    async Task KeepRunningAsync(Order order)
    {
        for (var attempt = 0; !order.Superseded.IsCancellationRequested;)
        {
            var started = _shared.Time.GetTimestamp();
            if (await LiveAsync(order, attempt).ConfigureAwait(false) is not { } fault) return;
            if (fault is PermanentException)
            {
                await RestAsync(order, RunState.Failed, fault).ConfigureAwait(false);
                return;
            }
            // Whoever worked for a while starts the count anew; whoever opens and fails at once does not.
            var retry = _config.Common.Retry;
            attempt = _shared.Time.GetElapsedTime(started) > retry.Max + _config.Common.OpenTimeout ? 1 : attempt + 1;
            var pause = Backoff.After(retry, attempt, Random.Shared.NextDouble());
            Set(RunState.Retrying, attempt, fault, pause);
            await Task.Delay(pause, _shared.Time, order.Superseded).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // One instance, from the cradle to the grave. Returns what it died of; null when it was told to end.
    async Task<Exception?> LiveAsync(Order order, int attempt)
    {
        Set(RunState.Connecting, attempt);
        using var life = CancellationTokenSource.CreateLinkedTokenSource(order.Superseded);
        var context = Context(probe: false);
        IConnector? connector = null;
        Exception? fault = null;
        var stage = "open";
        try
        {
            if (_config.Plugin.Info.Roles.HasFlag(ConnectorRoles.Sink)) await SinkStart.AnchorAsync(_shared.Log, _config, life.Token).ConfigureAwait(false);
            connector = _config.Plugin.Create(_part, context);
            await OpenAsync(connector, life.Token).ConfigureAwait(false);
            stage = connector is ISource ? "read" : "write";
            if (connector is ISource) await _appender.FoundAsync(life.Token).ConfigureAwait(false);
            _live = connector;
            Set(RunState.Running);
            await PumpAsync(connector, life.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            if (!order.Superseded.IsCancellationRequested) fault = e;
        }
        _live = null;
        context.Closing();
        await life.CancelAsync().ConfigureAwait(false);
        if (fault is not null) Failed(fault, stage, first: attempt == 0 || stage != "open");
        if (IsSource) await QuietlyAsync(ct => _appender.LostAsync(Reason(fault, order), fault is not null, ct)).ConfigureAwait(false);
        if (connector is not null) await EndAsync(connector, fault is null ? order.Next!.Reason : CloseReason.Fault).ConfigureAwait(false);
        context.End();
        return fault;
    }

    async Task OpenAsync(IConnector connector, CancellationToken ct)
    {
        var started = _shared.Time.GetTimestamp();
        await Bounded.RunAsync("Connecting", token => connector.OpenAsync(OpenMode.Run, token), _config.Common.OpenTimeout,
            _shared.Options.CloseTimeout, _shared.Time, ct).ConfigureAwait(false);
        _shared.Metrics.Opened(_tags, _shared.Time.GetElapsedTime(started));
    }

    async Task PumpAsync(IConnector connector, CancellationToken stop)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var pumps = new List<Task>();
        if (connector is ISource source) pumps.Add(new SourcePump(source, _appender, _shared.Options, _shared.Time, Abandoned).RunAsync(both.Token));
        if (connector is ISink sink) pumps.Add(SinkAsync(sink, both.Token));
        // A connector that only takes commands or answers reads has nothing to move.
        if (pumps.Count == 0) pumps.Add(Task.Delay(Timeout.InfiniteTimeSpan, _shared.Time, both.Token));
        var first = await Task.WhenAny(pumps).ConfigureAwait(false);
        await both.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(pumps).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await first.ConfigureAwait(false);
    }

    async Task SinkAsync(ISink sink, CancellationToken stop)
    {
        var reader = _shared.Log.Read(_config.Name, TopicFilter.Of(_config.Common.Topics), fromEnd: false);
        await using (reader.ConfigureAwait(false))
            await new SinkPump(sink, reader, _shared, _owner, _config.Common, _tags, Figures, Abandoned).RunAsync(stop).ConfigureAwait(false);
    }

    async Task EndAsync(IConnector connector, CloseReason why)
    {
        var limit = _shared.Options.CloseTimeout;
        await TryAsync("CloseAsync", token => connector.CloseAsync(why, token)).ConfigureAwait(false);
        await TryAsync("DisposeAsync", _ => connector.DisposeAsync()).ConfigureAwait(false);

        async Task TryAsync(string what, Func<CancellationToken, ValueTask> call)
        {
            try
            {
                await Bounded.RunAsync(what, call, limit * 0.75, limit * 0.25, _shared.Time, CancellationToken.None).ConfigureAwait(false);
            }
            catch (AbandonedException e)
            {
                Abandoned(e);
            }
            catch (Exception e)
            {
                Log.CloseFailed(_logger, e, _config.Name, what);
            }
        }
    }

    async Task RestAsync(Order order, RunState state, Exception? fault)
    {
        Set(state, 0, fault);
        await Task.Delay(Timeout.InfiniteTimeSpan, _shared.Time, order.Superseded).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    // Marks in the log are wanted, but no reason to hold up a task when the log does not take them now.
    async Task QuietlyAsync(Func<CancellationToken, Task> mark)
    {
        using var limit = new CancellationTokenSource(_shared.Options.CloseTimeout * 0.5, _shared.Time);
        try
        {
            await mark(limit.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Log.NotMarked(_logger, e, _config.Name);
        }
    }

    void Report(PartHealth health)
    {
        if (_owner.Board.Report(health) is { } turn) _turns.Put(turn);
    }

    void Set(RunState state, int attempt = 0, Exception? fault = null, TimeSpan? pause = null)
    {
        var (before, now) = (_status, _shared.Time.GetUtcNow());
        _status = new(state, before.State == state ? before.Since : now, attempt, now + pause,
            fault?.Message ?? before.LastError, fault is null ? before.LastErrorAt : now);
        Interlocked.Exchange(ref _changed, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
        // Connecting again and again is one state to the world: it is being retried.
        if (state == _told || state == RunState.Connecting && attempt > 0) return;
        _told = state;
        _shared.Health.Post(_config.Name, Number, state, state is RunState.Retrying or RunState.Failed ? _status.LastError : null, now, null);
        if (state == RunState.Running) Log.Running(_logger, _config.Name, Number);
        else if (state is RunState.Stopped or RunState.Paused) Log.Resting(_logger, _config.Name, Number, state);
    }

    void Failed(Exception fault, string stage, bool first)
    {
        if (fault is IotGateway.Log.LogFailedException or IotGateway.Log.LogFullException) stage = "append";
        _shared.Metrics.Error(_tags, stage, fault is PermanentException);
        if (fault is PermanentException) Log.Permanent(_logger, fault, _config.Name, fault.Message);
        else if (first || fault.Message != _status.LastError) Log.Retrying(_logger, fault, _config.Name, fault.Message);
    }

    void Abandoned(AbandonedException e) => Log.Abandoned(_logger, _config.Name, e.Message);

    static string Reason(Exception? fault, Order order) => fault switch
    {
        PermanentException => "failed",
        not null => "connection-lost",
        null => order.Next!.Reason switch
        {
            CloseReason.Pause => "paused",
            CloseReason.Reconfigure => "reconfigured",
            CloseReason.Remove => "removed",
            _ => "stopped",
        },
    };

    static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "{Connector}: task {Task} is running.")]
        public static partial void Running(ILogger logger, string connector, int task);

        [LoggerMessage(2, LogLevel.Information, "{Connector}: task {Task} is {State}.")]
        public static partial void Resting(ILogger logger, string connector, int task, RunState state);

        [LoggerMessage(3, LogLevel.Warning, "{Connector}: {Reason} It is tried again until it works.")]
        public static partial void Retrying(ILogger logger, Exception error, string connector, string reason);

        [LoggerMessage(4, LogLevel.Error, "{Connector}: {Reason} It stays failed until someone removes the cause and restarts it.")]
        public static partial void Permanent(ILogger logger, Exception error, string connector, string reason);

        [LoggerMessage(5, LogLevel.Warning, "{Connector}: {Reason} What it holds may leak until the gateway restarts.")]
        public static partial void Abandoned(ILogger logger, string connector, string reason);

        [LoggerMessage(6, LogLevel.Warning, "{Connector}: {Call} failed; it is closed all the same.")]
        public static partial void CloseFailed(ILogger logger, Exception error, string connector, string call);

        [LoggerMessage(7, LogLevel.Warning, "{Connector}: a gap could not be written to the log.")]
        public static partial void NotMarked(ILogger logger, Exception error, string connector);
    }
}
