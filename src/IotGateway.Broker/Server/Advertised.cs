namespace IotGateway.Broker.Server;

/// <summary>Host and port as told to clients.</summary>
internal readonly record struct Advertised(string Host, int Port);
