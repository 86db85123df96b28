using IotGateway.Connectors.Mqtt.Client;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Mqtt.Sink;

/// <summary>
/// Publishes records of the log, many on their way at once, in order. Settled is what the broker has acknowledged without a hole; after
/// a lost connection the rest comes again from the log, so that nothing is lost and some may arrive twice.
/// </summary>
sealed class MqttSink : ISink, IMqttHandler
{
    readonly MqttSinkConfig _config;
    readonly ConnectorContext _context;
    readonly MqttMetrics _metrics;
    readonly BrokerSession _broker;
    readonly Func<(bool, long)> _figures;
    BrokerLink? _link;
    RecordPublisher? _publisher;
    long _inFlight;

    public MqttSink(MqttSinkConfig config, ConnectorContext context, InstanceMemory memory, MqttMetrics metrics)
    {
        (_config, _context, _metrics, _broker) = (config, context, metrics, new(config, context, memory));
        _figures = () => (_link is { End: null }, Volatile.Read(ref _inFlight));
    }

    public async ValueTask OpenAsync(OpenMode mode, CancellationToken ct)
    {
        var link = _link = await BrokerLink.OpenAsync(_broker, this, mode, ct).ConfigureAwait(false);
        var server = link.Client.Server;
        if (_config.Qos > server.MaximumQos) throw new PermanentException($"{link.Client.Address} takes QoS {server.MaximumQos} at most; set \"qos\" to that, or change the broker.");
        if (_config.Retain && !server.Retain) throw new PermanentException($"{link.Client.Address} takes no retained messages; remove \"retain\", or change the broker.");
        _publisher = new(_config, _context, _broker.ClientId, link.Client.Version);
        if (mode == OpenMode.Run) _metrics.Show(_context.Name, 0, _figures);
    }

    public async ValueTask<WriteResult> WriteAsync(IReadOnlyList<SinkRecord> batch, CancellationToken ct)
    {
        var sent = new List<Task>(batch.Count);
        var rejected = new List<Rejection>();
        Exception? stop = null;
        try
        {
            for (var i = 0; i < batch.Count; i++) sent.Add(await SendAsync(batch[i], i, rejected, ct).ConfigureAwait(false));
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            stop = e;
        }
        var settled = 0;
        foreach (var acceptance in sent)
            try
            {
                await acceptance.WaitAsync(ct).ConfigureAwait(false);
                settled++;
            }
            catch (MqttRefusedException e) when (IsForGood(e.Reason))
            {
                rejected.Add(new(settled++, e.Message));
            }
            catch (Exception e) when (e is IOException or MqttRefusedException or OperationCanceledException or ObjectDisposedException)
            {
                stop = e;
                break;
            }
        foreach (var left in sent.Skip(settled)) _ = left.ContinueWith(static t => _ = t.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        if (settled == 0 && stop is not null) throw Cause(stop, ct);
        return new(settled, [.. rejected.Where(r => r.Index < settled).OrderBy(r => r.Index)]);
    }

    async Task<Task> SendAsync(SinkRecord record, int index, List<Rejection> rejected, CancellationToken ct)
    {
        var client = _link!.Client;
        var packet = _publisher!.Make(record, out var refusal);
        if (packet is null || (refusal = client.Server.Refusal(packet)) is not null)
        {
            rejected.Add(new(index, refusal!));
            return Task.CompletedTask;
        }
        var acceptance = await client.BeginPublishAsync(packet, ct).ConfigureAwait(false);
        return acceptance.IsCompleted ? acceptance : CountedAsync(acceptance);
    }

    async Task CountedAsync(Task acceptance)
    {
        Interlocked.Increment(ref _inFlight);
        try
        {
            await acceptance.ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _inFlight);
        }
    }

    // What is wrong with this one message and stays so. A missing permission is for a human to mend, not for the dead letters.
    static bool IsForGood(ReasonCode reason) => reason is ReasonCode.TopicNameInvalid or ReasonCode.PayloadFormatInvalid or ReasonCode.PacketTooLarge;

    Exception Cause(Exception stop, CancellationToken ct) => stop switch
    {
        MqttRefusedException { Reason: ReasonCode.NotAuthorized } => new PermanentException($"{stop.Message} Give user or client id '{_broker.ClientId}' the right to publish there.", stop),
        MqttRefusedException => new IOException(stop.Message, stop),
        OperationCanceledException when ct.IsCancellationRequested => stop,
        _ => _link?.End is { } end ? new IOException(end.Message, end) : new IOException(stop.Message, stop),
    };

    public async ValueTask CloseAsync(CloseReason why, CancellationToken ct)
    {
        if (why == CloseReason.Remove) _metrics.Forget(_context.Name, 0);
        if (_link is { } link) await link.Client.DisconnectAsync(ReasonCode.Success, null, ct).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        _metrics.Hide(_context.Name, 0, _figures);
        if (_link is { } link) await link.DisposeAsync().ConfigureAwait(false);
    }

    ValueTask IMqttHandler.OnPublishAsync(PublishPacket packet, CancellationToken ct) => default; // nothing is subscribed to

    ValueTask IMqttHandler.OnReleaseAsync(ushort packetId, CancellationToken ct) => default;

    void IMqttHandler.OnPong(long ping) { }

    ValueTask IMqttHandler.OnTickAsync() => default;
}
