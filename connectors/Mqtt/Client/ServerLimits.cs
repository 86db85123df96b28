using IotGateway.Connectors.Mqtt.Protocol;

namespace IotGateway.Connectors.Mqtt.Client;

/// <summary>What a broker said in CONNACK that it allows (MQTT 5 §3.2.2.3); defaults where it said nothing. Immutable.</summary>
sealed record ServerLimits
{
    /// <summary>The broker's own keep alive overrules ours (§3.2.2.3.14).</summary>
    public TimeSpan KeepAlive { get; private init; }

    public int ReceiveMaximum { get; private init; } = ushort.MaxValue;

    public long MaximumPacketSize { get; private init; } = 268_435_460;

    public int MaximumQos { get; private init; } = 2;

    public bool Retain { get; private init; } = true;

    public bool SubscriptionIds { get; private init; } = true;

    /// <summary>How many topic aliases the broker takes (§3.2.2.3.8).</summary>
    public int TopicAliasMaximum { get; private init; }

    /// <summary>The session expiry in force (§3.2.2.3.2).</summary>
    public TimeSpan SessionExpiry { get; private init; }

    public static ServerLimits Of(ConnAckPacket ack, MqttClientOptions asked)
    {
        var p = ack.Properties;
        return new()
        {
            KeepAlive = p.Number(PropertyId.ServerKeepAlive) is { } seconds ? TimeSpan.FromSeconds(seconds) : asked.KeepAlive,
            SessionExpiry = p.Number(PropertyId.SessionExpiry) is { } expiry ? TimeSpan.FromSeconds(expiry) : asked.SessionExpiry,
            ReceiveMaximum = (int)(p.Number(PropertyId.ReceiveMaximum) ?? ushort.MaxValue),
            MaximumPacketSize = p.Number(PropertyId.MaximumPacketSize) ?? 268_435_460,
            MaximumQos = (int)(p.Number(PropertyId.MaximumQos) ?? 2),
            Retain = p.Number(PropertyId.RetainAvailable) != 0,
            TopicAliasMaximum = asked.Version == MqttVersion.V5 ? (int)(p.Number(PropertyId.TopicAliasMaximum) ?? 0) : 0,
            SubscriptionIds = p.Number(PropertyId.SubscriptionIdAvailable) != 0,
        };
    }

    /// <summary>Why the broker would refuse a message, by what it said (§3.2.2.3.4, §3.2.2.3.5, §3.2.2.3.6); null when it would not.</summary>
    public string? Refusal(PublishPacket message)
        => !TopicName.IsValid(message.Topic.Span) ? "A topic to publish to is empty or holds a wildcard."
            : message.Qos > MaximumQos ? $"The broker takes QoS {MaximumQos} at most, the message has QoS {message.Qos}."
            : message.Retain && !Retain ? "The broker takes no retained messages."
            : message.Size + 16L > MaximumPacketSize ? $"The message of {message.Size} bytes is over the broker's limit of {MaximumPacketSize} bytes."
            : null;

    /// <summary>Throws what <see cref="Refusal"/> finds.</summary>
    public void Check(PublishPacket message)
    {
        if (Refusal(message) is { } why) throw new ArgumentException(why, nameof(message));
    }
}
