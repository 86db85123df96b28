using IotGateway.Connectors.Mqtt.Protocol;

namespace IotGateway.Connectors.Mqtt.Client;

/// <summary>Topic aliases the broker has set on this connection (MQTT 5 §3.3.2.3.4). One thread.</summary>
sealed class TopicAliases(int maximum)
{
    readonly byte[]?[] _topics = new byte[maximum][];

    /// <summary>The packet under its topic.</summary>
    /// <exception cref="MqttProtocolException">An alias out of range, or one never set.</exception>
    public PublishPacket Resolve(PublishPacket packet)
    {
        if (packet.Properties.IsEmpty || packet.Properties.Number(PropertyId.TopicAlias) is not { } alias) return packet;
        if (alias == 0 || alias > _topics.Length) throw new MqttProtocolException(ReasonCode.TopicAliasInvalid);
        ref var topic = ref _topics[alias - 1];
        if (packet.Topic.IsEmpty) return packet.WithTopic(topic ?? throw new MqttProtocolException(ReasonCode.ProtocolError));
        if (topic is null || !packet.Topic.Span.SequenceEqual(topic)) topic = packet.Topic.ToArray(); // a copy: the alias must not keep a chunk alive
        return packet;
    }
}
