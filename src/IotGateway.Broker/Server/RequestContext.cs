using IotGateway.Broker.Protocol;
using IotGateway.Broker.Security;

namespace IotGateway.Broker.Server;

/// <summary>One request's surroundings.</summary>
internal sealed class RequestContext(RequestHeader header, Connection connection)
{
    /// <summary>API version of request and answer.</summary>
    public short Version => header.Version;

    public RequestHeader Header => header;

    /// <summary>The client's own name; empty when it gave none.</summary>
    public string ClientId => header.ClientId ?? "";

    public Connection Connection => connection;

    /// <summary>Who asks.</summary>
    public Principal Principal => connection.Principal;

    /// <summary>The address told to clients of the listener this came in by.</summary>
    public Advertised Advertised => connection.Listener.Advertised;

    /// <summary>Cancelled when the client is gone.</summary>
    public CancellationToken ConnectionClosed => connection.Closed;
}
