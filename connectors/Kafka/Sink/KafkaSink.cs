using Confluent.Kafka;
using Confluent.Kafka.Admin;
using IotGateway.Connectors.Kafka.Config;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;
using IotGateway.Sdk.Health;
using Microsoft.Extensions.Logging;

namespace IotGateway.Connectors.Kafka.Sink;

/// <summary>
/// Forwards records to another Kafka cluster with keys, headers, timestamps and order per partition kept. Records may arrive twice when a
/// producer's life ends with records on their way (see <see cref="Producing"/>); none is left out and none overtakes another.
/// </summary>
/// <remarks>
/// When a write is cancelled or takes too long, what is on its way stays with the producer: the next write begins with the same records,
/// recognises them and only waits. A request refused because of one record is sent again one record at a time to find that one.
/// </remarks>
sealed partial class KafkaSink(KafkaConfig config, ConnectorContext context) : ISink
{
    const string ClusterPart = "cluster";
    const int MaxLives = 3;                 // per write; then the runtime's backoff takes over
    static readonly TimeSpan DisposeTimeout = TimeSpan.FromSeconds(5);

    readonly TargetTopics _topics = new(config, context);
    readonly TaskCompletionSource<PermanentException> _refused = new(TaskCreationOptions.RunContinuationsAsynchronously);
    Producing? _producing;
    volatile string? _trouble;
    int _reportedDown;
    string _clientId = "";

    public async ValueTask OpenAsync(OpenMode mode, CancellationToken ct)
    {
        _clientId = $"{context.Gateway}-{context.Name}-{context.InstallId}" + (mode == OpenMode.Probe ? "-probe" : "");
        _producing = Make(single: false);
        using var admin = new DependentAdminClientBuilder(_producing.Handle).Build();
        var answer = admin.DescribeClusterAsync(new DescribeClusterOptions { RequestTimeout = TimeSpan.FromSeconds(20) });
        var first = await Task.WhenAny(answer, _refused.Task).WaitAsync(ct).ConfigureAwait(false);      // the library asks on until its own timeout
        if (first == _refused.Task) throw await _refused.Task.ConfigureAwait(false);
        try
        {
            await answer.ConfigureAwait(false);
        }
        catch (KafkaException e)
        {
            throw Verdict.Permanent(e.Error, config) as Exception ?? new IOException($"{config.Endpoint} does not answer: {_trouble ?? e.Error.Reason}", e);
        }
    }

    public async ValueTask<WriteResult> WriteAsync(IReadOnlyList<SinkRecord> batch, CancellationToken ct)
    {
        var rejected = new List<Rejection>();
        int settled = 0, lives = 0;
        using var timeout = new CancellationTokenSource(config.Timeout, context.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, ct);
        if (_producing is { } old && (old.Broken is not null || !old.Matches(batch, 0))) await EndLifeAsync().ConfigureAwait(false);
        while (true)
        {
            var producing = _producing ??= Make(single: false);
            var expired = await GiveAndWaitAsync(producing, batch, settled, either.Token).ConfigureAwait(false);
            foreach (var delivery in producing.TakeSettled())
            {
                if (delivery.State == DeliveryState.Refused) rejected.Add(new(settled, delivery.Error!.Reason));
                settled++;
            }
            if (settled > 0) Recovered();
            if (settled == batch.Count)
            {
                if (producing.Single) await EndLifeAsync().ConfigureAwait(false);
                return new(settled, rejected);
            }
            if (_refused.Task.IsCompletedSuccessfully) throw await _refused.Task.ConfigureAwait(false);
            if (producing.Broken is null)
            {
                if (!expired) continue;      // the library's queue was full
                if (settled > 0 || ct.IsCancellationRequested) return new(settled, rejected);
                throw new IOException($"{config.Endpoint} took nothing within {config.Timeout.TotalSeconds:0} s: {_trouble ?? "no answer"}");
            }
            var failed = producing.FirstFailed;
            var error = failed?.Error ?? producing.Broken;
            await EndLifeAsync().ConfigureAwait(false);
            if (settled > 0 && !Verdict.IsOfRecord(error.Code) && !Verdict.IsOfNeighbour(error.Code)) return new(settled, rejected);
            if (Verdict.Permanent(error, config, failed is null ? null : _topics[failed.Record.Topic].Name) is { } permanent) throw permanent;
            if (++lives == MaxLives) throw new IOException($"{config.Endpoint} did not take a record of topic {failed?.Record.Topic}: {error.Reason}", new KafkaException(error));
            if (failed is not null) _topics.Forget(failed.Record.Topic);
            var single = Verdict.IsOfRecord(error.Code) || Verdict.IsOfNeighbour(error.Code);
            Log.Again(context.Logger, config.Endpoint.ToString(), error.Reason, settled);
            _producing = Make(single);
        }
    }

    public ValueTask CloseAsync(CloseReason why, CancellationToken ct) => default;

    public async ValueTask DisposeAsync() => await EndLifeAsync().ConfigureAwait(false);

    /// <summary>True when the time was up or the write was cancelled.</summary>
    async Task<bool> GiveAndWaitAsync(Producing producing, IReadOnlyList<SinkRecord> batch, int settled, CancellationToken ct)
    {
        try
        {
            await _topics.EnsureAsync(producing.Handle, batch, settled, ct).ConfigureAwait(false);
            for (var i = settled + producing.OpenCount; i < batch.Count && producing.Broken is null; i++)
            {
                var target = _topics[batch[i].Topic];
                if (target.Name is null) producing.Refuse(batch[i], $"Topic '{batch[i].Topic}' has no valid name in the target cluster by \"target\": \"{config.Target}\".");
                else if (!producing.TryProduce(batch[i], target.PlaceOf(batch[i]))) break;
            }
            await producing.WaitAsync(ct).ConfigureAwait(false);
            return false;
        }
        catch (OperationCanceledException)
        {
            return true;
        }
    }

    Producing Make(bool single) => new(ClientSettings.Producer(config, _clientId, _topics.MaxMessage, single), single, OnError);

    /// <summary>On the library's thread.</summary>
    void OnError(Error error)
    {
        if (Verdict.Permanent(error, config) is { } permanent) _refused.TrySetResult(permanent);
        if (error.Code != ErrorCode.Local_AllBrokersDown)
        {
            _trouble = error.Reason;
            return;
        }
        if (Interlocked.Exchange(ref _reportedDown, 1) == 1) return;
        Log.Away(context.Logger, config.Endpoint.ToString(), _trouble ?? error.Reason);
        context.Report(new PartHealth(ClusterPart, null, PartState.Down, "kafka:unreachable", _trouble ?? error.Reason, null));
    }

    void Recovered()
    {
        _trouble = null;
        if (Interlocked.Exchange(ref _reportedDown, 0) == 0) return;
        Log.Back(context.Logger, config.Endpoint.ToString());
        context.Report(new PartHealth(ClusterPart, null, PartState.Ok, null, null, null));
    }

    /// <summary>Ends the producer and waits for it, so that nothing of it reaches the cluster after its successor's first record; not for ever.</summary>
    async Task EndLifeAsync()
    {
        if (_producing is not { } producing) return;
        _producing = null;
        var ended = Task.Run(producing.Dispose);
        await ended.WaitAsync(DisposeTimeout, context.Time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!ended.IsCompleted) Log.Lingering(context.Logger, config.Endpoint.ToString());
    }

    static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "{Endpoint} cannot be reached and is tried again: {Reason}")]
        public static partial void Away(ILogger logger, string endpoint, string reason);

        [LoggerMessage(Level = LogLevel.Information, Message = "{Endpoint} takes records again.")]
        public static partial void Back(ILogger logger, string endpoint);

        [LoggerMessage(Level = LogLevel.Warning, Message = "{Endpoint} refused a request ({Reason}); a new producer begins after the {Settled} records settled.")]
        public static partial void Again(ILogger logger, string endpoint, string reason, int settled);

        [LoggerMessage(Level = LogLevel.Warning, Message = "The producer for {Endpoint} is slow to end; it is left behind.")]
        public static partial void Lingering(ILogger logger, string endpoint);
    }
}
