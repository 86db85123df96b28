namespace IotGateway.Connectors.Mqtt.Client;

/// <summary>The broker closed instead of answering CONNECT; some old brokers do so when they do not know the version (3.1.1 §3.1.2.2).</summary>
sealed class ClosedBeforeConnAckException(MqttAddress address)
    : IOException($"{address} closed the connection instead of answering CONNECT; is it an MQTT broker, and does it want TLS?");
