using IotGateway.Connectors.Kafka.Config;
using IotGateway.Connectors.Kafka.Sink;
using IotGateway.Sdk;

namespace IotGateway.Connectors.Kafka;

/// <summary>The plugin's face: makes sinks that forward topics to another Kafka cluster.</summary>
public sealed class KafkaFactory : IConnectorFactory<KafkaConfig>
{
    /// <inheritdoc/>
    public ConnectorInfo Info { get; } = new("kafka", "Forwards topics to another Kafka cluster.", ConnectorRoles.Sink);

    /// <inheritdoc/>
    public IConnector Create(KafkaConfig config, ConnectorContext context) => new KafkaSink(config, context);
}
