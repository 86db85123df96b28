using IotGateway.Connectors.Mqtt.Protocol;

namespace IotGateway.Connectors.Mqtt.Client;

/// <summary>
/// Takes what the broker sends, on the receive loop, in order. Waiting in a method stops reading from the socket: that is the
/// back-pressure. Acknowledging is the handler's business.
/// </summary>
interface IMqttHandler
{
    /// <summary>A message; its topic is resolved and never empty.</summary>
    ValueTask OnPublishAsync(PublishPacket packet, CancellationToken ct);

    /// <summary>PUBREL: the sender gives up a QoS 2 packet identifier.</summary>
    ValueTask OnReleaseAsync(ushort packetId, CancellationToken ct);

    /// <summary>The answer to PINGREQ number <paramref name="ping"/>: everything sent before it has been processed.</summary>
    void OnPong(long ping);

    /// <summary>About once a second, beside the receive loop: whatever is due. A throw ends the connection.</summary>
    ValueTask OnTickAsync();
}
