namespace IotGateway.Connectors.Mqtt.Protocol;

/// <summary>UNSUBSCRIBE (MQTT 5 §3.10).</summary>
sealed class UnsubscribePacket(ushort packetId, params IReadOnlyList<ReadOnlyMemory<byte>> filters) : MqttPacket
{
    public override PacketType Type => PacketType.Unsubscribe;

    public ushort PacketId => packetId;

    /// <summary>UTF-8.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Filters => filters;
}
