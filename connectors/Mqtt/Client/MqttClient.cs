using IotGateway.Connectors.Mqtt.Protocol;

namespace IotGateway.Connectors.Mqtt.Client;

/// <summary>
/// One connection to a broker, from CONNACK to its end. It never reconnects. Sending is thread-safe; receiving is one loop,
/// <see cref="RunAsync"/>, which must run for anything to be answered. Every wait for the broker is bounded.
/// </summary>
sealed class MqttClient : IAsyncDisposable
{
    readonly MqttClientOptions _options;
    readonly TimeProvider _time;
    readonly Stream _stream;
    readonly PacketReader _reader;
    readonly PacketSender _sender;
    readonly PendingReplies _pending = new();
    readonly TopicAliases _aliases;
    readonly OutboundAliases _shortened;
    readonly CancellationTokenSource _connection = new();
    readonly SemaphoreSlim _quota;
    readonly Lazy<Task> _disposal;
    volatile Receiver? _receiver;
    Task _releasing = Task.CompletedTask; // the newest QoS 2 message's PUBREL; PUBRELs leave in the order of their messages (§4.6)

    internal MqttClient(MqttClientOptions options, MqttAddress address, TimeProvider time, Stream stream, PacketReader reader, PacketSender sender, ConnAckPacket ack)
    {
        (_options, Address, _time, _stream, _reader, _sender) = (options, address, time, stream, reader, sender);
        Server = ServerLimits.Of(ack, options);
        SessionPresent = ack.SessionPresent;
        _aliases = new(options.Version == MqttVersion.V5 ? options.TopicAliasMaximum : 0);
        _shortened = new(Server.TopicAliasMaximum);
        _quota = new(Server.ReceiveMaximum, Server.ReceiveMaximum);
        _disposal = new(DisposeOnceAsync);
    }

    public MqttAddress Address { get; }

    public MqttVersion Version => _options.Version;

    /// <summary>Whether the broker kept a session for this client id (§3.2.2.1.1).</summary>
    public bool SessionPresent { get; }

    /// <summary>Whether the broker may have kept a session: MQTT 3.1 has no way to say so.</summary>
    public bool MayHaveSession => SessionPresent || (Version == MqttVersion.V31 && !_options.CleanStart);

    /// <summary>What the broker allows.</summary>
    public ServerLimits Server { get; }

    /// <summary>Receives until the connection ends; then throws why: refused, protocol violation, closed, no sign of life, cancelled.</summary>
    public async Task RunAsync(IMqttHandler handler, CancellationToken ct)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, _connection.Token);
        var receiver = _receiver = new Receiver(_reader, _sender, _pending, _aliases, handler, Version, _time, both.Token);
        var watchdog = new KeepAlive(Server.KeepAlive, receiver, _sender, handler, _time, both.Token);
        var receiving = receiver.RunAsync();
        var watching = watchdog.RunAsync();
        var proving = ReauthenticateAsync(receiver, both.Token);
        var first = await Task.WhenAny(receiving, watching, proving).ConfigureAwait(false);
        Exception cause;
        try
        {
            await first.ConfigureAwait(false);
            cause = new IOException($"The broker at {Address} closed the connection.{(Version == MqttVersion.V5 ? "" : " Before version 5 it cannot say why; another client with the same client id is one reason.")}");
        }
        catch (OperationCanceledException)
        {
            cause = new OperationCanceledException(ct);
        }
        catch (Exception e) when (e is not MqttProtocolException and not MqttRefusedException)
        {
            cause = new IOException($"The connection to {Address} broke: {e.Message}", e);
        }
        catch (Exception e)
        {
            cause = e;
        }
        _pending.Close(cause);
        if (cause is MqttProtocolException broken) await DisconnectAsync(broken.Reason, null, CancellationToken.None).ConfigureAwait(false);
        await _connection.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(receiving, watching, proving).ContinueWith(static t => _ = t.Exception, CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default).ConfigureAwait(false);
        throw cause;
    }

    Task ReauthenticateAsync(Receiver receiver, CancellationToken ct)
    {
        if (!_options.Scram || _options.Reauthenticate == TimeSpan.Zero) return Task.Delay(System.Threading.Timeout.InfiniteTimeSpan, _time, ct);
        var proof = new Reauthentication(_options, Address, _sender, _time, ct);
        receiver.OnAuth = proof.Take;
        return proof.RunAsync();
    }

    /// <summary>SUBSCRIBE; returns one reason per filter. Fails when no SUBACK comes in time.</summary>
    public async Task<ReasonCode[]> SubscribeAsync(IReadOnlyList<SubscribeFilter> filters, uint? subscriptionId, CancellationToken ct)
    {
        var properties = Version == MqttVersion.V5 && subscriptionId is { } id && Server.SubscriptionIds
            ? new PropertiesBuilder().Number(PropertyId.SubscriptionId, id).Build() : default;
        return await ExchangeAsync(PacketType.SubAck, "SUBACK", packetId => new SubscribePacket(packetId, filters) { Properties = properties }, filters.Count, ct).ConfigureAwait(false);
    }

    /// <summary>UNSUBSCRIBE.</summary>
    public Task<ReasonCode[]> UnsubscribeAsync(IReadOnlyList<ReadOnlyMemory<byte>> filters, CancellationToken ct)
        => ExchangeAsync(PacketType.UnsubAck, "UNSUBACK", packetId => new UnsubscribePacket(packetId, filters), Version == MqttVersion.V5 ? filters.Count : 0, ct);

    async Task<ReasonCode[]> ExchangeAsync(PacketType wanted, string name, Func<ushort, MqttPacket> make, int count, CancellationToken ct)
    {
        var (id, reply) = _pending.Add(wanted);
        try
        {
            await SendAsync(make(id)).ConfigureAwait(false);
            var ack = (SubAckPacket)await WithinTimeout(reply, name, ct).ConfigureAwait(false);
            if (ack.Reasons.Length != count) throw new MqttProtocolException(ReasonCode.ProtocolError); // §3.9.3
            return Array.ConvertAll(ack.Reasons.ToArray(), static r => (ReasonCode)r);
        }
        finally
        {
            _pending.Release(id);
        }
    }

    /// <summary>PUBLISH; returns when the broker has taken the message as its QoS promises. Waits for a free place in the broker's window.</summary>
    /// <exception cref="MqttRefusedException">The broker refused the message.</exception>
    /// <exception cref="ArgumentException">The broker said in CONNACK that it does not take such a message.</exception>
    /// <returns>The broker's reason: success, or that nobody subscribes (version 5 only).</returns>
    public async Task<ReasonCode> PublishAsync(PublishPacket message, CancellationToken ct)
        => await (await BeginPublishAsync(message, ct).ConfigureAwait(false)).ConfigureAwait(false);

    /// <summary>
    /// The same in two steps, so that many messages can be on their way: returns once the message is sent, with the task of its
    /// acceptance. Messages begun one after the other stay in order (§4.6), also in the second half of QoS 2.
    /// </summary>
    public async Task<Task<ReasonCode>> BeginPublishAsync(PublishPacket message, CancellationToken ct)
    {
        Server.Check(message);
        if (message.Qos == 0)
        {
            await SendMessageAsync(message).ConfigureAwait(false);
            return Task.FromResult(ReasonCode.Success);
        }
        await _quota.WaitAsync(ct).ConfigureAwait(false);
        ushort id = 0;
        try
        {
            (id, var reply) = _pending.Add(message.Qos == 1 ? PacketType.PubAck : PacketType.PubRec);
            await SendMessageAsync(new PublishPacket { Topic = message.Topic, Payload = message.Payload, PacketId = id, Qos = message.Qos, Retain = message.Retain, Properties = message.Properties }).ConfigureAwait(false);
            return message.Qos == 1 ? AtLeastOnceAsync(id, reply) : ExactlyOnceAsync(id, reply);
        }
        catch
        {
            Over(id);
            throw;
        }
    }

    async Task<ReasonCode> AtLeastOnceAsync(ushort id, Task<MqttPacket> reply)
    {
        try
        {
            return await AcceptedAsync(reply, "PUBACK", CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            Over(id);
        }
    }

    async Task<ReasonCode> ExactlyOnceAsync(ushort id, Task<MqttPacket> reply)
    {
        var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var before = Interlocked.Exchange(ref _releasing, released.Task);
        try
        {
            var reason = await AcceptedAsync(reply, "PUBREC", CancellationToken.None).ConfigureAwait(false);
            var complete = _pending.Continue(id, PacketType.PubComp);
            await before.ConfigureAwait(false);
            await SendAsync(new AckPacket(PacketType.PubRel, id)).ConfigureAwait(false);
            released.TrySetResult();
            await AcceptedAsync(complete, "PUBCOMP", CancellationToken.None).ConfigureAwait(false);
            return reason;
        }
        finally
        {
            released.TrySetResult();
            Over(id);
        }
    }

    void Over(ushort id)
    {
        _pending.Release(id);
        _quota.Release();
    }

    async Task<ReasonCode> AcceptedAsync(Task<MqttPacket> reply, string name, CancellationToken ct)
    {
        var ack = (AckPacket)await WithinTimeout(reply, name, ct).ConfigureAwait(false);
        if ((byte)ack.Reason >= 0x80) throw MqttRefusedException.Of($"{Address} refused the message", ack.Reason, ack.Properties);
        return ack.Reason;
    }

    /// <summary>Waits for a reply as long as other packets keep coming, or our own back-pressure keeps the reply from being read.</summary>
    async Task<MqttPacket> WithinTimeout(Task<MqttPacket> reply, string name, CancellationToken ct)
    {
        while (true)
            try
            {
                return await reply.WaitAsync(_options.Timeout, _time, ct).ConfigureAwait(false);
            }
            catch (TimeoutException e)
            {
                if (_receiver is { } r && (r.IsHeldUp || _time.GetElapsedTime(r.LastReceived) < _options.Timeout)) continue;
                throw new IOException($"{Address} sent no {name} within {_options.Timeout.TotalSeconds:0.#} s.", e);
            }
    }

    /// <summary>Sends acknowledgements in one write. With <paramref name="ping"/>, a PINGREQ goes behind them, whose number is returned.</summary>
    public ValueTask<long> SendAsync<T>(T state, Action<WireWriter, T> encode, bool ping) => _sender.SendAsync(state, encode, ping, _connection.Token);

    async ValueTask SendMessageAsync(PublishPacket message)
    {
        if (Server.TopicAliasMaximum == 0) await SendAsync(message).ConfigureAwait(false);
        else await _sender.SendAsync((message, _shortened), static (w, s) => s._shortened.Encode(w, s.message), ping: false, _connection.Token).ConfigureAwait(false);
    }

    async ValueTask SendAsync(MqttPacket packet)
        => await _sender.SendAsync((packet, Version), static (w, s) => MqttEncoder.Encode(w, s.packet, s.Version), ping: false, _connection.Token).ConfigureAwait(false);

    /// <summary>Says goodbye, as far as the connection lets it within a second; never throws. Nothing can be sent afterwards.</summary>
    /// <param name="reason">Sent in version 5.</param>
    /// <param name="sessionExpiry">A new session expiry in seconds, version 5 only; 0 deletes the session (§3.14.2.2.2).</param>
    /// <param name="ct">Cancels waiting.</param>
    public async Task DisconnectAsync(ReasonCode reason, uint? sessionExpiry, CancellationToken ct)
    {
        if (_connection.IsCancellationRequested) return;
        var properties = sessionExpiry is { } seconds ? new PropertiesBuilder().Number(PropertyId.SessionExpiry, seconds).Build() : default;
        try
        {
            await SendAsync(new DisconnectPacket(reason) { Properties = properties }).AsTask().WaitAsync(TimeSpan.FromSeconds(1), _time, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or TimeoutException or ObjectDisposedException or InvalidOperationException)
        {
            // The peer is gone or stuck: there is nobody left to say goodbye to.
        }
    }

    public ValueTask DisposeAsync() => new(_disposal.Value);

    async Task DisposeOnceAsync()
    {
        await _connection.CancelAsync().ConfigureAwait(false);
        _pending.Close(new ObjectDisposedException(nameof(MqttClient)));
        await _stream.DisposeAsync().ConfigureAwait(false);
    }
}
