namespace IotGateway.Connectors.Mqtt.Protocol;

/// <summary>AUTH (MQTT 5 §3.15).</summary>
sealed class AuthPacket(ReasonCode reason = ReasonCode.Success) : MqttPacket
{
    public override PacketType Type => PacketType.Auth;

    public ReasonCode Reason => reason;
}
