using System.Text;

namespace IotGateway.Connectors.Mqtt.Protocol;

/// <summary>
/// Bytes to packets, for every type in both directions. Pure and stateless. Bad input throws <see cref="MqttProtocolException"/> and
/// nothing else; a packet's texts and payloads are slices of <c>body</c>, so that memory stays within a small factor of the input.
/// </summary>
static class MqttDecoder
{
    /// <summary>Decodes one packet whose header was read by <see cref="PacketHeader.TryRead"/>.</summary>
    /// <param name="header">The fixed header.</param>
    /// <param name="body">Exactly the bytes after it.</param>
    /// <param name="version">Version of the connection; a CONNECT says its own.</param>
    /// <param name="limits">Caps.</param>
    public static MqttPacket Decode(PacketHeader header, ReadOnlyMemory<byte> body, MqttVersion version, in MqttLimits limits)
    {
        var reader = new WireReader(body);
        MqttPacket packet = header.Type switch
        {
            PacketType.Publish => Publish(header.First, ref reader, version, limits),
            PacketType.PubAck or PacketType.PubRec or PacketType.PubRel or PacketType.PubComp => Ack(header.Type, ref reader, version, limits),
            PacketType.PingReq => PingPacket.Request,
            PacketType.PingResp => PingPacket.Response,
            PacketType.Connect => ConnectDecoder.Connect(ref reader, limits),
            PacketType.ConnAck => ConnectDecoder.ConnAck(ref reader, version, limits),
            PacketType.Subscribe => SubscribeDecoder.Subscribe(ref reader, version, limits),
            PacketType.SubAck or PacketType.UnsubAck => SubscribeDecoder.SubAck(header.Type, ref reader, version, limits),
            PacketType.Unsubscribe => SubscribeDecoder.Unsubscribe(ref reader, version, limits),
            PacketType.Disconnect => Disconnect(ref reader, version, limits),
            PacketType.Auth when version == MqttVersion.V5 => Auth(ref reader, limits),
            _ => throw WireReader.Malformed(),
        };
        reader.End();
        return packet;
    }

    static PublishPacket Publish(byte first, ref WireReader reader, MqttVersion version, in MqttLimits limits)
    {
        var qos = (byte)(first >> 1 & 3);
        var topic = reader.Text();
        var id = qos > 0 ? reader.PacketId() : (ushort)0;
        var properties = version == MqttVersion.V5 ? MqttProperties.Read(ref reader, PacketType.Publish, limits) : default;
        if (topic.IsEmpty && properties.Number(PropertyId.TopicAlias) is null) throw new MqttProtocolException(ReasonCode.ProtocolError); // MQTT 5 §3.3.2.1
        if (!topic.IsEmpty && !TopicName.IsValid(topic.Span)) throw new MqttProtocolException(ReasonCode.TopicNameInvalid); // §3.3.2.1
        if (properties.Data(PropertyId.ResponseTopic) is { } response && !TopicName.IsValid(response.Span)) throw new MqttProtocolException(ReasonCode.ProtocolError); // §3.3.2.3.5
        return new()
        {
            Topic = topic, PacketId = id, Properties = properties, Payload = reader.Rest(),
            Qos = qos, Retain = (first & 1) != 0, Dup = (first & 8) != 0,
        };
    }

    static AckPacket Ack(PacketType type, ref WireReader reader, MqttVersion version, in MqttLimits limits)
    {
        var id = reader.PacketId();
        if (version != MqttVersion.V5 || reader.Left == 0) return new(type, id);
        var reason = reader.Byte();
        var known = type is PacketType.PubRel or PacketType.PubComp
            ? (ReasonCode)reason is ReasonCode.Success or ReasonCode.PacketIdNotFound // §3.6.2.1, §3.7.2.1
            : (ReasonCode)reason is ReasonCode.Success or ReasonCode.NoMatchingSubscribers || reason >= 0x80; // §3.4.2.1, §3.5.2.1
        if (!known) throw new MqttProtocolException(ReasonCode.ProtocolError);
        return new(type, id, (ReasonCode)reason) { Properties = Trailing(ref reader, type, limits) };
    }

    static DisconnectPacket Disconnect(ref WireReader reader, MqttVersion version, in MqttLimits limits)
    {
        if (version != MqttVersion.V5 || reader.Left == 0) return new(); // left-over bytes are refused by End
        var reason = reader.Byte();
        if ((ReasonCode)reason is not (ReasonCode.Success or ReasonCode.DisconnectWithWill) && reason < 0x80) throw new MqttProtocolException(ReasonCode.ProtocolError);
        return new((ReasonCode)reason) { Properties = Trailing(ref reader, PacketType.Disconnect, limits) };
    }

    static AuthPacket Auth(ref WireReader reader, in MqttLimits limits)
    {
        if (reader.Left == 0) return new();
        var reason = (ReasonCode)reader.Byte();
        if (reason is not (ReasonCode.Success or ReasonCode.ContinueAuthentication or ReasonCode.ReAuthenticate)) throw new MqttProtocolException(ReasonCode.ProtocolError);
        return new(reason) { Properties = Trailing(ref reader, PacketType.Auth, limits) };
    }

    /// <summary>Properties that may be left out together with their length (§3.4.2.2.1, §3.14.2.2.1).</summary>
    static MqttProperties Trailing(ref WireReader reader, PacketType type, in MqttLimits limits)
        => reader.Left == 0 ? default : MqttProperties.Read(ref reader, type, limits);

    internal static string String(ReadOnlyMemory<byte> text) => Encoding.UTF8.GetString(text.Span);
}
