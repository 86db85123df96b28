namespace IotGateway.Connectors.Mqtt.Protocol;

/// <summary>CONNECT and CONNACK. Pure; see <see cref="MqttDecoder"/>.</summary>
static class ConnectDecoder
{
    public static ConnectPacket Connect(ref WireReader reader, in MqttLimits limits)
    {
        var name = reader.Text().Span;
        var level = reader.Byte();
        var version = (name.SequenceEqual("MQTT"u8), name.SequenceEqual("MQIsdp"u8), level) switch
        {
            (true, _, 4) => MqttVersion.V311,
            (true, _, 5) => MqttVersion.V5,
            (_, true, 3) => MqttVersion.V31,
            _ => throw new MqttProtocolException(ReasonCode.UnsupportedProtocolVersion), // MQTT 5 §3.1.2.1, §3.1.2.2
        };
        var flags = reader.Byte();
        if ((flags & 1) != 0) throw WireReader.Malformed(); // §3.1.2.3
        var willQos = (byte)(flags >> 3 & 3);
        var hasWill = (flags & 0x04) != 0;
        if (willQos == 3 || (!hasWill && (flags & 0x38) != 0)) throw WireReader.Malformed(); // §3.1.2.6, §3.1.2.7
        if ((flags & 0xC0) == 0x40 && version != MqttVersion.V5) throw WireReader.Malformed(); // 3.1.1 §3.1.2.9: no password without user name
        var keepAlive = reader.UInt16();
        var properties = version == MqttVersion.V5 ? MqttProperties.Read(ref reader, PacketType.Connect, limits) : default;
        var clientId = MqttDecoder.String(reader.Text());
        var will = hasWill ? Will(ref reader, version, willQos, (flags & 0x20) != 0, limits) : null;
        return new()
        {
            Version = version, CleanStart = (flags & 0x02) != 0, KeepAlive = keepAlive, Properties = properties, ClientId = clientId, Will = will,
            Username = (flags & 0x80) != 0 ? MqttDecoder.String(reader.Text()) : null,
            Password = (flags & 0x40) != 0 ? reader.Binary() : (ReadOnlyMemory<byte>?)null, // a bare null would become an empty memory
        };
    }

    static Will Will(ref WireReader reader, MqttVersion version, byte qos, bool retain, in MqttLimits limits)
    {
        var properties = version == MqttVersion.V5 ? MqttProperties.Read(ref reader, PropertyRules.Will, limits) : default;
        var topic = reader.Text();
        if (!TopicName.IsValid(topic.Span)) throw new MqttProtocolException(ReasonCode.TopicNameInvalid);
        return new(MqttDecoder.String(topic), reader.Binary(), qos, retain) { Properties = properties };
    }

    public static ConnAckPacket ConnAck(ref WireReader reader, MqttVersion version, in MqttLimits limits)
    {
        var flags = reader.Byte();
        if ((flags & 0xFE) != 0) throw WireReader.Malformed(); // §3.2.2.1
        var code = reader.Byte();
        var present = flags != 0;
        // A server older than version 5 refuses it in its own form: two bytes and a return code (MQTT 5 §3.1.2.2, 3.1.1 §3.2.2.3).
        var old = version != MqttVersion.V5 || (reader.Left == 0 && code is >= 1 and <= 5);
        var reason = old ? ReasonCodeText.FromReturnCode(code) : (ReasonCode)code;
        if (!old && code is > 0 and < 0x80) throw new MqttProtocolException(ReasonCode.ProtocolError);
        if (present && reason != ReasonCode.Success) throw new MqttProtocolException(ReasonCode.ProtocolError); // §3.2.2.1.1
        return new(reason, present) { Properties = old ? default : MqttProperties.Read(ref reader, PacketType.ConnAck, limits) };
    }
}
