namespace IotGateway.Connectors.Mqtt.Protocol;

/// <summary>What the decoder accepts, checked before anything is buffered or allocated.</summary>
/// <param name="MaxPacketSize">Largest whole packet in bytes, fixed header included (MQTT 5 §3.1.2.11.4).</param>
/// <param name="MaxProperties">Most properties in one packet; the specification sets no bound on user properties.</param>
readonly record struct MqttLimits(int MaxPacketSize, int MaxProperties = 256)
{
    /// <summary>The protocol's own largest packet: 5 bytes of header and 268,435,455 of rest (MQTT 5 §2.1.4).</summary>
    public static MqttLimits Protocol { get; } = new(268_435_460, int.MaxValue);
}
