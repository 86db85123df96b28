namespace IotGateway.Log;

/// <summary>The data directory holds something this version cannot read safely; nothing was changed.</summary>
public sealed class LogFormatException(string message, Exception? inner = null) : IOException(message, inner);
