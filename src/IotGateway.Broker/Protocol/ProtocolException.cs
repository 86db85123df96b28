namespace IotGateway.Broker.Protocol;

/// <summary>Bytes that are not what the Kafka protocol says they should be. The only exception the codecs throw for any input.</summary>
internal sealed class ProtocolException(string message) : Exception(message);
