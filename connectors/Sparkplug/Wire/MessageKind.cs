namespace IotGateway.Connectors.Sparkplug.Wire;

/// <summary>What a message is about, as its topic says (Sparkplug 3.0 §4.1.3).</summary>
enum MessageKind
{
    NodeBirth,
    NodeDeath,
    DeviceBirth,
    DeviceDeath,
    NodeData,
    DeviceData,
    NodeCommand,
    DeviceCommand,
}
