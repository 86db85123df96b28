namespace IotGateway.Connectors.Mqtt.Protocol;

/// <summary>DISCONNECT (MQTT 5 §3.14); without a reason in older versions, where only the client sends it.</summary>
sealed class DisconnectPacket(ReasonCode reason = ReasonCode.Success) : MqttPacket
{
    public override PacketType Type => PacketType.Disconnect;

    public ReasonCode Reason => reason;
}
