namespace IotGateway.Broker;

/// <summary>A file of keys that sign tokens cannot be used; the message says which and why.</summary>
public sealed class JwksException(string problem, Exception? inner = null) : IOException(problem, inner);
