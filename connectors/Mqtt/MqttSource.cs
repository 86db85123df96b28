using System.Globalization;
using System.Runtime.CompilerServices;
using IotGateway.Connectors.Mqtt.Client;
using IotGateway.Connectors.Mqtt.Commands;
using IotGateway.Connectors.Mqtt.Mapping;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Connectors.Mqtt.Session;
using IotGateway.Sdk;
using IotGateway.Sdk.Commands;
using Microsoft.Extensions.Logging;

namespace IotGateway.Connectors.Mqtt;

/// <summary>
/// One connection to a broker as a source. PUBACK, PUBREC and PUBCOMP leave only in a batch's OnDurable, all of a batch in one write.
/// </summary>
/// <remarks>
/// Three threads meet here: the receive loop (<see cref="IMqttHandler"/>) puts into the inbox; <see cref="ReadAsync"/> owns the
/// builder and the session's tables; the runtime runs OnDurable. They share the inbox, <see cref="Fences"/>, the byte budget and counters, nothing else.
/// A changed configuration replaces the mapper as a whole; what is in flight under a filter given up keeps its mapping.
/// </remarks>
sealed partial class MqttSource : ISource, IReconfigurable<MqttConfig>, IBrowsable, ICommandTarget, IMqttHandler
{
    const int MostPerBatch = 2_000;
    const int DetachAfter = 4 * 1024; // a message kept must not keep a chunk full of dropped ones alive
    static readonly TimeSpan GoodbyeTime = TimeSpan.FromSeconds(1);
    const int FenceAfter = 512; // PUBACKs in doubt before a PINGREQ goes along; fewer wait for the next tick

    readonly ConnectorContext _context;
    readonly InstanceMemory _memory;
    readonly MqttMetrics _metrics;
    readonly Func<(bool, long)> _figures;
    readonly BrokerSession _broker;
    readonly Presence? _presence;
    readonly TaskState _state;
    readonly Inbox<Inbound> _inbox;
    readonly ByteBudget _budget;
    readonly DropCounter _drops;
    readonly CancellationTokenSource _life = new();
    readonly TaskCompletionSource _crowded = new(TaskCreationOptions.RunContinuationsAsynchronously); // there was no room for a message
    MqttConfig _config;
    volatile MessageMapper _mapper;
    MqttClient? _client;
    CommandPublisher? _commands;
    InboundSession? _session;
    Exception? _end; // why the connection ended, the first cause
    OpenMode _mode;
    Task _living = Task.CompletedTask;
    Task<ReadOnlyMemory<byte>?> _subscribing = Task.FromResult<ReadOnlyMemory<byte>?>(null); // ends with what is subscribed to
    Task _announcing = Task.CompletedTask;
    long _inFlight;
    int _unfenced; // touched by AcknowledgeAsync only
    long _skipped; // bytes dropped since the last message kept; touched by the receive loop only

    public MqttSource(MqttConfig config, ConnectorContext context, InstanceMemory memory, MqttMetrics metrics)
    {
        (_config, _context, _memory, _metrics) = (config, context, memory, metrics);
        _broker = new(config, context, memory, config.Task == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"-{config.Task}"));
        _presence = config.Presence is { } presence ? new(presence, context, _broker.ClientId) : null;
        _broker.Will = _presence?.Will;
        _state = new(context, config.Task);
        _mapper = new(config, context, _broker.ClientId);
        _figures = () => (_client is not null && Volatile.Read(ref _end) is null, Volatile.Read(ref _inFlight));
        _inbox = new(config.ReceiveMaximum + 2 * MostPerBatch);
        _budget = new(config.MaxInFlight.Bytes);
        _drops = new(context.Time);
    }

    /// <summary>QoS 0 messages dropped for want of room.</summary>
    public long Dropped => _drops.Total;

    /// <summary>QoS 1 and 2 messages that came again and were not stored again.</summary>
    public long Redelivered => _session?.Redelivered ?? 0;

    public async ValueTask OpenAsync(OpenMode mode, CancellationToken ct)
    {
        _mode = mode;
        var client = _client = await _broker.ConnectAsync(mode, clean: false, ct).ConfigureAwait(false);
        var stored = await RestoreAsync(client, ct).ConfigureAwait(false);
        _living = LiveAsync(client);
        if (mode == OpenMode.Run) _metrics.Show(_context.Name, _config.Task, _figures);
        _subscribing = SubscribeAsync(client, stored);
        // Messages may already be flowing, of a session or retained ones (MQTT 5 §3.8.4), more than there is room for before ReadAsync: then the answer is awaited beside it.
        if (!client.MayHaveSession) await (await Task.WhenAny(_subscribing, _crowded.Task).WaitAsync(ct).ConfigureAwait(false)).ConfigureAwait(false);
        if (mode == OpenMode.Run) _announcing = AnnounceAsync(client);
        if (_config.Commands is not null) await OpenCommandsAsync(mode, ct).ConfigureAwait(false);
        var expiry = client.Server.SessionExpiry;
        if (client.Version == MqttVersion.V5 && mode == OpenMode.Run && expiry < _config.SessionExpiry) Log.ShortSession(_context.Logger, _context.Name, expiry);
    }

    async Task AnnounceAsync(MqttClient client)
    {
        if (_presence is null) return;
        try
        {
            await (await _presence.PublishAsync(client, online: true, _life.Token).ConfigureAwait(false)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ArgumentException or MqttRefusedException)
        {
            Log.NotAnnounced(_context.Logger, _context.Name, e.Message);
        }
    }

    async Task OpenCommandsAsync(OpenMode mode, CancellationToken ct)
    {
        var commands = _commands = await CommandPublisher.OpenAsync(_config, _context, new(_config, _context, _memory, "-commands"), mode, ct).ConfigureAwait(false);
        // One of the two connections lost is both lost: the next instance makes both.
        _ = commands.Ended.ContinueWith(_ => End(commands.End ?? new IOException("The connection for commands ended.")), CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>Loads the state that belongs to the broker's session, or clears it. Returns the stored subscriptions.</summary>
    async Task<ReadOnlyMemory<byte>?> RestoreAsync(MqttClient client, CancellationToken ct)
    {
        var state = _state.Read();
        var identity = _broker.Identity(client);
        if (_mode == OpenMode.Run && client.MayHaveSession && InboundSession.IsOf(state, identity))
        {
            _session = InboundSession.Load(state);
            return state.TryGetValue(SessionKeys.Subscriptions, out var stored) ? stored : null;
        }
        _session = InboundSession.Empty();
        if (_mode == OpenMode.Run) await _state.SaveAsync(InboundSession.Reset(state, identity), ct).ConfigureAwait(false);
        return null;
    }

    async Task LiveAsync(MqttClient client)
    {
        try
        {
            await client.RunAsync(this, _life.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            End(_broker.Explain(e, client)); // the runner's edge: whatever ended the connection ends the source
        }
    }

    void End(Exception cause)
    {
        Interlocked.CompareExchange(ref _end, cause, null);
        _inbox.Complete(cause);
    }

    async Task<ReadOnlyMemory<byte>?> SubscribeAsync(MqttClient client, ReadOnlyMemory<byte>? stored)
    {
        try
        {
            return await new Subscriber(_config, _context, _state, client, _memory, _mapper.Numbers).RunAsync(stored, _mode, isChange: false, _life.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            End(e);
            throw;
        }
    }

    /// <summary>Takes changed subscriptions and mappings; all else makes the connection what it is.</summary>
    public async ValueTask<ApplyResult> TryApplyAsync(MqttConfig next, CancellationToken ct)
    {
        if (_client is not { } client || !_config.HasSameConnection(next)) return new ApplyResult.NeedsRestart("More than subscriptions and mappings changed: that needs a new connection.");
        var before = await _subscribing.WaitAsync(ct).ConfigureAwait(false);
        // First how to map, then what to ask for: a message must not come before its rule.
        _mapper = new MessageMapper(next, _context, _broker.ClientId, _mapper);
        _subscribing = Task.FromResult<ReadOnlyMemory<byte>?>(
            await new Subscriber(next, _context, _state, client, _memory, _mapper.Numbers).RunAsync(before, _mode, isChange: true, ct).ConfigureAwait(false));
        _config = next;
        return new ApplyResult.Applied();
    }

    public ValueTask<CommandResult> ExecuteAsync(Command command, ISendGate gate, CancellationToken ct)
        => (_commands ?? throw new InvalidOperationException("No commands are configured.")).ExecuteAsync(command, gate, ct);

    public IAsyncEnumerable<BrowseNode> BrowseAsync(string? parent, CancellationToken ct) => new TopicBrowser(_broker, _config, _context.Time).RunAsync(parent, ct);

    public async IAsyncEnumerable<SourceBatch> ReadAsync([EnumeratorCancellation] CancellationToken ct)
    {
        var (client, session) = (_client!, _session!);
        var builder = new BatchBuilder(session, _drops, client.Version);
        try
        {
            while (true)
            {
                var items = await _inbox.TakeAsync(MostPerBatch, ct).ConfigureAwait(false);
                if (items.Count == 0) yield break;
                for (var at = 0; at < items.Count;)
                {
                    var batch = builder.Build(items, ref at, _mapper, out var owed);
                    _metrics.Redelivered(_context.Name, _config.Task, owed.Redelivered);
                    _metrics.Duplicates(_context.Name, _config.Task, owed.PossibleDuplicates);
                    if (batch is null || _mode == OpenMode.Probe) Release(owed);
                    if (batch is null) continue;
                    yield return _mode == OpenMode.Probe ? batch with { State = [] } : batch with { State = _state.Of(batch.State), OnDurable = _ => AcknowledgeAsync(client, session.Fences, owed) };
                }
            }
        }
        finally
        {
            session.Dispose();
        }
    }

    async ValueTask AcknowledgeAsync(MqttClient client, Fences fences, Acknowledgements owed)
    {
        Release(owed);
        if (owed.IsEmpty) return;
        if (!fences.TryAcknowledging(owed.Batch)) return; // closing has begun: what it stores says that these were not sent
        var fence = (_unfenced += owed.PubAcks) >= FenceAfter && fences.IsDue(out _);
        if (fence) _unfenced = 0;
        try
        {
            var ping = await client.SendAsync(owed, Acknowledgements.Encode, fence).ConfigureAwait(false);
            fences.Written(owed.Batch);
            if (fence) fences.Sent(ping, owed.Batch);
        }
        catch (OperationCanceledException e)
        {
            throw new IOException($"{owed.Count} acknowledgements could not be sent any more, the broker will send those messages again. {_end?.Message}", _end ?? e);
        }
    }

    void Release(Acknowledgements owed)
    {
        _budget.Release(owed.Bytes);
        Interlocked.Add(ref _inFlight, -owed.Messages);
    }

    ValueTask IMqttHandler.OnPublishAsync(PublishPacket packet, CancellationToken ct)
    {
        if (_skipped > DetachAfter && (packet.Qos > 0 || _inbox.Count < _config.ReceiveMaximum)) packet = packet.Detach();
        var item = new Inbound(packet, 0, _context.Time.GetUtcNow().UtcDateTime);
        if (packet.Qos == 0)
        {
            if (!_budget.TryTake(packet.Size)) Drop(packet);
            else if (!_inbox.TryPut(item))
            {
                _budget.Release(packet.Size);
                Drop(packet);
            }
            else _skipped = 0;
            return default;
        }
        _skipped = 0;
        Interlocked.Increment(ref _inFlight);
        // A broker that exceeds the receive maximum (MQTT 5 §3.3.4) is not disconnected: mosquitto 2.0 does so under load. A full inbox stops it.
        if (!_budget.TryTake(packet.Size)) return WaitForRoomAsync(item, ct);
        var put = _inbox.PutAsync(item, ct);
        if (!put.IsCompleted) _crowded.TrySetResult();
        return put;
    }

    void Drop(PublishPacket packet)
    {
        _crowded.TrySetResult();
        _drops.Count();
        _metrics.Dropped(_context.Name, _config.Task);
        _skipped += packet.Size;
    }

    async ValueTask WaitForRoomAsync(Inbound item, CancellationToken ct)
    {
        _crowded.TrySetResult();
        await _budget.TakeAsync(item.Message!.Size, ct).ConfigureAwait(false);
        await _inbox.PutAsync(item, ct).ConfigureAwait(false);
    }

    ValueTask IMqttHandler.OnReleaseAsync(ushort packetId, CancellationToken ct) => _inbox.PutAsync(new(null, packetId, default), ct);

    void IMqttHandler.OnPong(long ping)
    {
        if (_session!.Fences.Answered(ping)) WakeBuilder();
    }

    // It deletes what is no longer in doubt. A full inbox means it is awake.
    void WakeBuilder() => _inbox.TryPut(default);

    async ValueTask IMqttHandler.OnTickAsync()
    {
        if (_drops.IsPending) WakeBuilder();
        if (_mode == OpenMode.Run && _session!.Fences.IsDue(out var batch)
            && _session.Fences.Sent(await _client!.SendAsync(0, static (_, _) => { }, ping: true).ConfigureAwait(false), batch)) WakeBuilder();
    }

    public async ValueTask CloseAsync(CloseReason why, CancellationToken ct)
    {
        if (why == CloseReason.Remove && _mode == OpenMode.Run)
        {
            _metrics.Forget(_context.Name, _config.Task);
            await RemoveAsync(ct).ConfigureAwait(false);
            return;
        }
        if (_client is not { } client) return;
        if (_mode == OpenMode.Run && _session?.Close() is { } mark) await _state.SaveAsync([mark], ct).ConfigureAwait(false);
        await LeaveAsync(client, why, ct).ConfigureAwait(false);
        await client.DisconnectAsync(ReasonCode.Success, null, ct).ConfigureAwait(false);
    }

    /// <summary>An orderly end takes the will back, so the last word is ours. Of a broken connection the broker has the last word.</summary>
    async Task LeaveAsync(MqttClient client, CloseReason why, CancellationToken ct)
    {
        if (_presence is null || _mode != OpenMode.Run || why == CloseReason.Fault || _living.IsCompleted) return;
        using var limit = new CancellationTokenSource(GoodbyeTime, _context.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            var taken = await _presence.PublishAsync(client, online: false, both.Token).ConfigureAwait(false);
            await taken.WaitAsync(both.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ArgumentException or MqttRefusedException)
        {
            Log.NotAnnounced(_context.Logger, _context.Name, e.Message);
        }
    }

    async Task RemoveAsync(CancellationToken ct)
    {
        if (_client is { Version: MqttVersion.V5 } client && !_living.IsCompleted)
        {
            await LeaveAsync(client, CloseReason.Remove, ct).ConfigureAwait(false);
            await client.DisconnectAsync(ReasonCode.Success, sessionExpiry: 0, ct).ConfigureAwait(false); // MQTT 5 §3.14.2.2.2
            return;
        }
        if (_client is { } old) await old.DisposeAsync().ConfigureAwait(false);
        if (await _broker.DeleteAsync(ct).ConfigureAwait(false) is { } problem) Log.SessionStays(_context.Logger, _context.Name, _broker.ClientId, problem);
    }

    public async ValueTask DisposeAsync()
    {
        _metrics.Hide(_context.Name, _config.Task, _figures);
        await _life.CancelAsync().ConfigureAwait(false);
        if (_commands is not null) await _commands.DisposeAsync().ConfigureAwait(false);
        if (_client is not null) await _client.DisposeAsync().ConfigureAwait(false);
        await Task.WhenAll(_living, _subscribing, _announcing).ContinueWith(static t => _ = t.Exception, CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default).ConfigureAwait(false);
        _inbox.Complete();
    }

    static partial class Log
    {
        [LoggerMessage(3, LogLevel.Warning, "{Connector}: 'presence' could not be published: {Problem}")]
        public static partial void NotAnnounced(ILogger logger, string connector, string problem);

        [LoggerMessage(1, LogLevel.Warning, "{Connector}: the broker keeps the session only for {Expiry}, less than sessionExpiry asks for; after a longer outage messages are lost.")]
        public static partial void ShortSession(ILogger logger, string connector, TimeSpan expiry);

        [LoggerMessage(2, LogLevel.Warning, "{Connector}: the session '{ClientId}' could not be deleted and stays at the broker until it expires: {Problem}")]
        public static partial void SessionStays(ILogger logger, string connector, string clientId, string problem);
    }
}
