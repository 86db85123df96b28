namespace IotGateway.Broker;

/// <summary>A listener's certificate files cannot be used; the message says which and why, and never what is in them.</summary>
public sealed class TlsFilesException(string listener, string problem, Exception? inner = null)
    : IOException($"Listener '{listener}': {problem}", inner);
