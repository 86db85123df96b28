namespace IotGateway.Connectors.Mqtt.Protocol;

/// <summary>One property as it stands in a packet. Texts are UTF-8, checked; the memory is the packet's.</summary>
/// <param name="Id">Which.</param>
/// <param name="Number">Its value when it is a number.</param>
/// <param name="Data">Its text or octets; the value of a user property.</param>
/// <param name="Name">The name of a user property.</param>
readonly record struct MqttProperty(PropertyId Id, uint Number, ReadOnlyMemory<byte> Data, ReadOnlyMemory<byte> Name);
