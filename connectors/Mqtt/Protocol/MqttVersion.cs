namespace IotGateway.Connectors.Mqtt.Protocol;

/// <summary>Protocol level as sent in CONNECT (MQTT 3.1.1 §3.1.2.2, MQTT 5 §3.1.2.2).</summary>
enum MqttVersion : byte
{
    /// <summary>MQTT 3.1, protocol name <c>MQIsdp</c>.</summary>
    V31 = 3,

    /// <summary>MQTT 3.1.1.</summary>
    V311 = 4,

    /// <summary>MQTT 5.0.</summary>
    V5 = 5,
}
