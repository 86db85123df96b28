namespace IotGateway.Connectors.Modbus.Client;

/// <summary>The endpoint can not be reached: no byte was sent. The message says which and why.</summary>
internal sealed class BusException(string message, Exception? inner = null) : Exception(message, inner);
