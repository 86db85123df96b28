namespace IotGateway.Connectors.Mqtt.Protocol;

/// <summary>
/// A control packet. Immutable; memory in a decoded packet is a slice of the bytes it was decoded from, and keeps them alive.
/// </summary>
abstract class MqttPacket
{
    public abstract PacketType Type { get; }

    /// <summary>MQTT 5 §2.2.2; empty in older versions.</summary>
    public MqttProperties Properties { get; init; }
}
