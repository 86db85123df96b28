using IotGateway.Sdk;

namespace IotGateway.Connectors.Mqtt;

/// <summary>The MQTT plugin. Thread-safe; what instances share is <see cref="InstanceMemory"/> and <see cref="MqttMetrics"/>.</summary>
public sealed class MqttFactory : IConnectorFactory<MqttConfig>
{
    readonly InstanceMemory _memory = new();
    readonly MqttMetrics _metrics = new();

    /// <inheritdoc/>
    public ConnectorInfo Info { get; } = new("mqtt", "Subscribes to an MQTT broker; messages are acknowledged once they are on disk.", ConnectorRoles.Source | ConnectorRoles.Browsable);

    /// <inheritdoc/>
    public IConnector Create(MqttConfig config, ConnectorContext context) => new MqttSource(config, context, _memory, _metrics);
}
