namespace IotGateway.Connectors.Mqtt.Protocol;

/// <summary>
/// The peer broke the protocol. The only exception the codec throws; it carries the reason code alone, so that nothing a hostile
/// peer wrote reaches a log line through it. The connection cannot be used afterwards.
/// </summary>
sealed class MqttProtocolException(ReasonCode reason) : Exception("MQTT protocol violation: " + reason.Text() + ".")
{
    /// <summary>What to send in DISCONNECT (MQTT 5 §4.13).</summary>
    public ReasonCode Reason => reason;
}
