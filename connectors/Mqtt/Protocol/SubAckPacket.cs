namespace IotGateway.Connectors.Mqtt.Protocol;

/// <summary>SUBACK or UNSUBACK (MQTT 5 §3.9, §3.11): one reason per filter asked for; none in UNSUBACK before version 5.</summary>
sealed class SubAckPacket(PacketType type, ushort packetId, ReadOnlyMemory<byte> reasons) : MqttPacket
{
    public override PacketType Type => type;

    public ushort PacketId => packetId;

    public ReadOnlyMemory<byte> Reasons => reasons;
}
