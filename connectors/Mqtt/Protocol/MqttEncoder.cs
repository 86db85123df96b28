namespace IotGateway.Connectors.Mqtt.Protocol;

/// <summary>
/// Packets to bytes, for every type in both directions, appended to a <see cref="WireWriter"/>. Pure. Values that cannot be written
/// are <see cref="ArgumentException"/> and leave the writer as it was.
/// </summary>
static class MqttEncoder
{
    public static void Encode(WireWriter w, MqttPacket packet, MqttVersion version)
    {
        var start = w.Begin();
        try
        {
            w.End(start, Body(w, packet, version));
        }
        catch (ArgumentException)
        {
            w.Undo(start);
            throw;
        }
    }

    /// <summary>PUBLISH of version 5 under a topic alias (§3.3.2.3.4): with its topic, which sets the alias, or without, which uses it.</summary>
    public static void Publish(WireWriter w, PublishPacket packet, ushort alias, bool withTopic)
    {
        var start = w.Begin();
        try
        {
            w.End(start, Publish(w, packet, five: true, alias, withTopic));
        }
        catch (ArgumentException)
        {
            w.Undo(start);
            throw;
        }
    }

    /// <summary>An acknowledgement without reason or properties: four bytes in every version, no packet object needed.</summary>
    public static void Ack(WireWriter w, PacketType type, ushort packetId)
    {
        w.Byte((byte)((int)type << 4 | (type == PacketType.PubRel ? 2 : 0)));
        w.Byte(2);
        w.UInt16(packetId);
    }

    public static void PingRequest(WireWriter w)
    {
        w.Byte((int)PacketType.PingReq << 4);
        w.Byte(0);
    }

    /// <summary>Writes everything after the fixed header and returns its first byte.</summary>
    static byte Body(WireWriter w, MqttPacket packet, MqttVersion version)
    {
        var five = version == MqttVersion.V5;
        switch (packet)
        {
            case PublishPacket p:
                return Publish(w, p, five, alias: 0, withTopic: true);
            case AckPacket p:
                w.UInt16(p.PacketId);
                if (five && (p.Reason != 0 || !p.Properties.IsEmpty)) Reason(w, p.Reason, p.Properties);
                return (byte)((int)p.Type << 4 | (p.Type == PacketType.PubRel ? 2 : 0));
            case ConnectPacket p:
                Connect(w, p);
                return (int)PacketType.Connect << 4;
            case ConnAckPacket p:
                w.Byte((byte)(p.SessionPresent ? 1 : 0));
                w.Byte(five ? (byte)p.Reason : ReasonCodeText.ToReturnCode(p.Reason));
                if (five) Properties(w, p.Properties);
                return (int)PacketType.ConnAck << 4;
            case SubscribePacket p:
                w.UInt16(p.PacketId);
                if (five) Properties(w, p.Properties);
                foreach (var f in p.Filters)
                {
                    w.Binary(f.Filter.Span);
                    w.Byte((byte)(five ? f.Options : f.Options & 3));
                }
                return (int)PacketType.Subscribe << 4 | 2;
            case UnsubscribePacket p:
                w.UInt16(p.PacketId);
                if (five) Properties(w, p.Properties);
                foreach (var f in p.Filters) w.Binary(f.Span);
                return (int)PacketType.Unsubscribe << 4 | 2;
            case SubAckPacket p:
                w.UInt16(p.PacketId);
                if (five) Properties(w, p.Properties);
                if (five || p.Type == PacketType.SubAck) w.Bytes(p.Reasons.Span);
                return (byte)((int)p.Type << 4);
            case DisconnectPacket p:
                if (five && (p.Reason != 0 || !p.Properties.IsEmpty)) Reason(w, p.Reason, p.Properties);
                return (int)PacketType.Disconnect << 4;
            case AuthPacket p when five:
                if (p.Reason != 0 || !p.Properties.IsEmpty) Reason(w, p.Reason, p.Properties);
                return (int)PacketType.Auth << 4;
            case PingPacket:
                return (byte)((int)packet.Type << 4);
            default:
                throw new ArgumentException($"{packet.Type} cannot be written in {version}.", nameof(packet));
        }
    }

    static byte Publish(WireWriter w, PublishPacket p, bool five, ushort alias, bool withTopic)
    {
        w.Binary(withTopic ? p.Topic.Span : default);
        if (p.Qos > 0) w.UInt16(p.PacketId);
        if (five && alias == 0) Properties(w, p.Properties);
        if (five && alias > 0)
        {
            w.VarInt(p.Properties.Raw.Length + 3);
            w.Byte((byte)PropertyId.TopicAlias);
            w.UInt16(alias);
            w.Bytes(p.Properties.Raw.Span);
        }
        w.Bytes(p.Payload.Span);
        return (byte)((int)PacketType.Publish << 4 | (p.Dup ? 8 : 0) | p.Qos << 1 | (p.Retain ? 1 : 0));
    }

    static void Connect(WireWriter w, ConnectPacket p)
    {
        var five = p.Version == MqttVersion.V5;
        w.Text(p.Version == MqttVersion.V31 ? "MQIsdp" : "MQTT");
        w.Byte((byte)p.Version);
        var flags = (p.CleanStart ? 0x02 : 0) | (p.Username is null ? 0 : 0x80) | (p.Password is null ? 0 : 0x40);
        if (p.Will is { } will) flags |= 0x04 | will.Qos << 3 | (will.Retain ? 0x20 : 0);
        w.Byte((byte)flags);
        w.UInt16(p.KeepAlive);
        if (five) Properties(w, p.Properties);
        w.Text(p.ClientId);
        if (p.Will is not null)
        {
            if (five) Properties(w, p.Will.Properties);
            w.Text(p.Will.Topic);
            w.Binary(p.Will.Payload.Span);
        }
        if (p.Username is not null) w.Text(p.Username);
        if (p.Password is { } password) w.Binary(password.Span);
    }

    /// <summary>The properties' length may be left out when there are none (§3.4.2.2.1).</summary>
    static void Reason(WireWriter w, ReasonCode reason, MqttProperties properties)
    {
        w.Byte((byte)reason);
        if (!properties.IsEmpty) Properties(w, properties);
    }

    static void Properties(WireWriter w, MqttProperties properties)
    {
        w.VarInt(properties.Raw.Length);
        w.Bytes(properties.Raw.Span);
    }
}
