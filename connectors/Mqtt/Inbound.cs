using IotGateway.Connectors.Mqtt.Protocol;

namespace IotGateway.Connectors.Mqtt;

/// <summary>What the receive loop hands to the builder of batches.</summary>
/// <param name="Message">A message; null for the other two.</param>
/// <param name="Release">The packet identifier of a PUBREL; 0 for none. With neither, it only wakes the builder.</param>
/// <param name="Received">When, UTC.</param>
readonly record struct Inbound(PublishPacket? Message, ushort Release, DateTime Received);
