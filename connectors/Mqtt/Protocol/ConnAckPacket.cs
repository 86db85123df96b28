namespace IotGateway.Connectors.Mqtt.Protocol;

/// <summary>CONNACK (MQTT 3.1.1 §3.2, MQTT 5 §3.2); return codes of 3.1.1 are given as the version 5 reason that means the same.</summary>
sealed class ConnAckPacket(ReasonCode reason, bool sessionPresent) : MqttPacket
{
    public override PacketType Type => PacketType.ConnAck;

    public ReasonCode Reason => reason;

    public bool SessionPresent => sessionPresent;
}
