using IotGateway.Broker.Protocol;
using IotGateway.Broker.Security;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>One request's surroundings, and what its principal may do. Without an authorizer that is everything.</summary>
/// <param name="header">How the request begins.</param>
/// <param name="length">Bytes of its frame.</param>
/// <param name="connection">Where it came from.</param>
internal sealed class RequestContext(RequestHeader header, int length, Connection connection)
{
    readonly int _allowed = KafkaReader.Allowance(length);
    int? _taken;

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

    /// <summary>Returns when there is memory for whatever can be read out of the frame.</summary>
    public ValueTask ClaimAsync(CancellationToken ct) => connection.Broker.Contents.ClaimAsync(_allowed, ct);

    /// <summary>The request is read and took so many bytes. As many again stay claimed for the answer, which names the same things; the rest is for others.</summary>
    public void Read(int bytes)
    {
        var taken = Math.Min(2 * bytes, _allowed);
        connection.Broker.Contents.Shrink(_allowed, taken);
        _taken = taken;
    }

    /// <summary>Gives back what was claimed: the request is answered.</summary>
    public void Release() => connection.Broker.Contents.Release(_taken ?? _allowed);

    Authorizer? Authorizer => connection.Broker.Authorizer;

    /// <summary>Whether the client may do this to the resource of that name; a refusal is logged.</summary>
    public bool Allows(AccessRule rule, string name)
    {
        if (Sees(rule, name)) return true;
        connection.Broker.Denied(this, rule, name);
        return false;
    }

    /// <summary>Whether the client may do this to the cluster; a refusal is logged.</summary>
    public bool Allows(AccessRule rule) => Allows(rule, Acl.Cluster);

    /// <summary>The same without a log line, for what is only left out of an answer.</summary>
    public bool Sees(AccessRule rule, string name) => Authorizer is not { } authorizer || authorizer.Allows(Principal, connection.Host, rule, name);

    /// <summary>The check by name, for code that makes it again and again; null when there is nothing to check.</summary>
    public Func<string, bool>? Checks(AccessRule rule) => Authorizer is null ? null : name => Allows(rule, name);

    /// <summary>The same by name, silent, to be kept beyond the request; null when there is nothing to check.</summary>
    public Func<string, bool>? Sight(AccessRule rule)
    {
        if (Authorizer is not { } authorizer) return null;
        var (principal, host) = (Principal, connection.Host); // not the connection itself
        return name => authorizer.Allows(principal, host, rule, name);
    }

    /// <summary>Whether there may be any resource of the kind to which the client may do this.</summary>
    public bool AllowsSome(AccessRule rule) => Authorizer is not { } authorizer || authorizer.AllowsSome(Principal, connection.Host, rule);

    /// <summary>What the client may do to a resource, as the bit set of KIP-430.</summary>
    public int Operations(ResourceType type, string name) => Security.Acls.Authorizer.Operations(type, operation => Sees(new(operation, type), name));
}
