namespace IotGateway.Connectors.Mqtt.Protocol;

/// <summary>PUBLISH (MQTT 5 §3.3). Topic and payload are slices of the bytes received.</summary>
sealed class PublishPacket : MqttPacket
{
    public override PacketType Type => PacketType.Publish;

    /// <summary>UTF-8, checked; empty only with a topic alias (§3.3.2.3.4).</summary>
    public required ReadOnlyMemory<byte> Topic { get; init; }

    public ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>0 at QoS 0.</summary>
    public ushort PacketId { get; init; }

    public byte Qos { get; init; }

    public bool Retain { get; init; }

    public bool Dup { get; init; }

    /// <summary>Bytes it holds on to, for memory budgets.</summary>
    public int Size => Topic.Length + Payload.Length + Properties.Raw.Length;

    /// <summary>The same message in memory of its own.</summary>
    public PublishPacket Detach()
    {
        var own = new byte[Size];
        Topic.CopyTo(own);
        Payload.CopyTo(own.AsMemory(Topic.Length));
        Properties.Raw.CopyTo(own.AsMemory(Topic.Length + Payload.Length));
        return new()
        {
            Topic = own.AsMemory(0, Topic.Length), Payload = own.AsMemory(Topic.Length, Payload.Length), Properties = MqttProperties.Trusted(own.AsMemory(Topic.Length + Payload.Length)),
            PacketId = PacketId, Qos = Qos, Retain = Retain, Dup = Dup,
        };
    }

    /// <summary>The same message under the topic its alias stands for.</summary>
    public PublishPacket WithTopic(ReadOnlyMemory<byte> topic)
        => new() { Topic = topic, Payload = Payload, PacketId = PacketId, Qos = Qos, Retain = Retain, Dup = Dup, Properties = Properties };
}
