using IotGateway.Connectors.Mqtt.Protocol;

namespace IotGateway.Connectors.Mqtt.Client;

/// <summary>
/// The receive loop of one connection: one packet after the other, to the handler or to whoever waits for a reply. Ends when the
/// peer closes; throws on anything that makes the connection unusable.
/// </summary>
sealed class Receiver(PacketReader reader, PacketSender sender, PendingReplies pending, TopicAliases aliases, IMqttHandler handler,
    MqttVersion version, TimeProvider time, CancellationToken ct)
{
    readonly Gathering _gathering = new(time);
    long _lastReceived = time.GetTimestamp();
    long _pongs;
    volatile bool _busy;

    /// <summary>When the last packet came.</summary>
    public long LastReceived => Volatile.Read(ref _lastReceived);

    /// <summary>PINGRESPs received.</summary>
    public long Pongs => Volatile.Read(ref _pongs);

    /// <summary>Takes the AUTH packets of an authentication that is under way; null while none is.</summary>
    public Func<AuthPacket, bool>? OnAuth { get; set; }

    /// <summary>True while the handler makes us wait: then silence is our doing, not the broker's.</summary>
    public bool IsHeldUp => _busy;

    public async Task RunAsync()
    {
        while (await reader.ReadAsync(_gathering, ct).ConfigureAwait(false) is { } packet)
        {
            Volatile.Write(ref _lastReceived, time.GetTimestamp());
            var handling = HandleAsync(packet);
            if (handling.IsCompletedSuccessfully) continue;
            _busy = true;
            await handling.ConfigureAwait(false);
            Volatile.Write(ref _lastReceived, time.GetTimestamp());
            _busy = false;
        }
    }

    ValueTask HandleAsync(MqttPacket packet)
    {
        switch (packet)
        {
            case PublishPacket p:
                _gathering.Count();
                return handler.OnPublishAsync(aliases.Resolve(p), ct);
            case AckPacket { Type: PacketType.PubRel } p:
                return handler.OnReleaseAsync(p.PacketId, ct);
            case AckPacket p:
                // An identifier nobody waits for belongs to an exchange before this connection: answer PUBREC, forget the rest (§4.3.3).
                return !pending.Complete(p.PacketId, p) && p.Type == PacketType.PubRec ? ReleaseAsync(p.PacketId) : default;
            case SubAckPacket p:
                if (!pending.Complete(p.PacketId, p)) throw new MqttProtocolException(ReasonCode.ProtocolError);
                return default;
            case PingPacket when packet.Type == PacketType.PingResp:
                if (_pongs >= sender.Pings) throw new MqttProtocolException(ReasonCode.ProtocolError);
                Volatile.Write(ref _pongs, _pongs + 1);
                handler.OnPong(_pongs);
                return default;
            case AuthPacket p when OnAuth?.Invoke(p) == true:
                return default;
            case DisconnectPacket p when version == MqttVersion.V5:
                throw MqttRefusedException.Of("The broker ended the connection", p.Reason, p.Properties);
            default:
                throw new MqttProtocolException(ReasonCode.ProtocolError); // a packet only clients send, a second CONNACK, AUTH never asked for
        }
    }

    async ValueTask ReleaseAsync(ushort id)
        => await sender.SendAsync((id, version), static (w, s) =>
            MqttEncoder.Encode(w, new AckPacket(PacketType.PubRel, s.id, s.version == MqttVersion.V5 ? ReasonCode.PacketIdNotFound : ReasonCode.Success), s.version),
            ping: false, ct).ConfigureAwait(false);
}
