using System.Text;
using IotGateway.Connectors.Mqtt.Client;
using IotGateway.Connectors.Mqtt.Mapping;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Sdk;

namespace IotGateway.Connectors.Mqtt;

/// <summary>Publishes <see cref="MqttPresence"/>. Immutable.</summary>
sealed class Presence(MqttPresence config, ConnectorContext context, string clientId)
{
    readonly string _topic = TopicTemplate.TryParse(config.Topic, Placeholders.Of(clientId, context.Gateway, context.Name), out var error, [])?.Expand("", out _, null) ?? throw new PermanentException(error!);

    /// <summary>What the broker publishes when the connection is lost.</summary>
    public Will Will => new(_topic, Encoding.UTF8.GetBytes(config.Offline), (byte)config.Qos, config.Retain);

    /// <summary>Publishes it; the outer task ends when it is sent, the inner when the broker has taken it.</summary>
    public Task<Task<ReasonCode>> PublishAsync(MqttClient client, bool online, CancellationToken ct) => client.BeginPublishAsync(new()
    {
        Topic = Encoding.UTF8.GetBytes(_topic), Payload = Encoding.UTF8.GetBytes(online ? config.Online : config.Offline), Qos = (byte)config.Qos, Retain = config.Retain,
    }, ct);
}
