using IotGateway.Connectors.Mqtt.Protocol;

namespace IotGateway.Connectors.Sparkplug;

/// <summary>What the receive loop hands to the reading loop.</summary>
/// <param name="Message">A message; null only wakes it.</param>
/// <param name="Received">When, UTC.</param>
readonly record struct Inbound(PublishPacket? Message, DateTime Received);
