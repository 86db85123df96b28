using IotGateway.Connectors.Sparkplug.Wire;

namespace IotGateway.Connectors.Sparkplug.Plant;

/// <summary>A message of an edge node, parsed.</summary>
/// <param name="Topic">Where it came.</param>
/// <param name="Payload">What it says.</param>
/// <param name="RawTopic">The topic as it came, for the dead letters.</param>
/// <param name="Raw">The payload as it came.</param>
/// <param name="Received">When, UTC.</param>
sealed record Message(SparkplugTopic Topic, Payload Payload, ReadOnlyMemory<byte> RawTopic, ReadOnlyMemory<byte> Raw, DateTime Received);
