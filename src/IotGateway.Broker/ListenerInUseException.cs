using System.Net;

namespace IotGateway.Broker;

/// <summary>A listener's port is taken by another program.</summary>
public sealed class ListenerInUseException(BrokerListener listener, Exception inner)
    : IOException($"Listener '{listener.Name}': {listener.Endpoint} is in use by another program. Stop that, or change 'broker.listen' in gateway.json.", inner)
{
    /// <summary>Where it could not listen.</summary>
    public IPEndPoint Endpoint { get; } = listener.Endpoint;
}
