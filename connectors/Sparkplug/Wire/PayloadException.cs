namespace IotGateway.Connectors.Sparkplug.Wire;

/// <summary>A payload, or a value in it, is not what Sparkplug says it must be; the message says how, without the sender's text.</summary>
sealed class PayloadException(string message, Exception? inner = null) : Exception(message, inner);
