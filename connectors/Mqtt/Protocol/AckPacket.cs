namespace IotGateway.Connectors.Mqtt.Protocol;

/// <summary>PUBACK, PUBREC, PUBREL or PUBCOMP (MQTT 5 §3.4 to §3.7), which share one form.</summary>
sealed class AckPacket(PacketType type, ushort packetId, ReasonCode reason = ReasonCode.Success) : MqttPacket
{
    public override PacketType Type => type;

    public ushort PacketId => packetId;

    public ReasonCode Reason => reason;
}
