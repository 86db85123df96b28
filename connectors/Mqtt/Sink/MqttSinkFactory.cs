using IotGateway.Sdk;

namespace IotGateway.Connectors.Mqtt.Sink;

/// <summary>
/// The publishing side of the MQTT plugin, a connector of its own: records of the log are chosen by <c>topics</c>, which a subscriber has no
/// use for, and its connection lives and fails apart from that of a source.
/// </summary>
public sealed class MqttSinkFactory : IConnectorFactory<MqttSinkConfig>
{
    readonly InstanceMemory _memory = new();

    /// <inheritdoc/>
    public ConnectorInfo Info { get; } = new("mqtt-sink", "Publishes records of the log to an MQTT broker; delivered is what the broker acknowledged.", ConnectorRoles.Sink);

    /// <inheritdoc/>
    public IConnector Create(MqttSinkConfig config, ConnectorContext context) => new MqttSink(config, context, _memory, MqttMetrics.Instance);
}
