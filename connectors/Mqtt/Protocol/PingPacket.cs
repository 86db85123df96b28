namespace IotGateway.Connectors.Mqtt.Protocol;

/// <summary>PINGREQ or PINGRESP (MQTT 5 §3.12, §3.13).</summary>
sealed class PingPacket : MqttPacket
{
    PingPacket(PacketType type) => Type = type;

    public static PingPacket Request { get; } = new(PacketType.PingReq);

    public static PingPacket Response { get; } = new(PacketType.PingResp);

    public override PacketType Type { get; }
}
