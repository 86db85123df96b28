namespace IotGateway.Connectors.Mqtt.Protocol;

/// <summary>SUBSCRIBE (MQTT 5 §3.8).</summary>
sealed class SubscribePacket(ushort packetId, params IReadOnlyList<SubscribeFilter> filters) : MqttPacket
{
    public override PacketType Type => PacketType.Subscribe;

    public ushort PacketId => packetId;

    public IReadOnlyList<SubscribeFilter> Filters => filters;
}

/// <summary>One topic filter with its options.</summary>
/// <param name="Filter">UTF-8.</param>
/// <param name="Options">As on the wire (§3.8.3.1); versions before 5 know only the QoS.</param>
readonly record struct SubscribeFilter(ReadOnlyMemory<byte> Filter, byte Options)
{
    /// <summary>Builds the option byte of §3.8.3.1.</summary>
    public static SubscribeFilter Of(string filter, int qos, bool noLocal = false, bool retainAsPublished = false, int retainHandling = 0)
        => new(System.Text.Encoding.UTF8.GetBytes(filter), (byte)(qos | (noLocal ? 4 : 0) | (retainAsPublished ? 8 : 0) | retainHandling << 4));
}
