namespace IotGateway.Broker;

/// <summary>How clients of one listener say who they are.</summary>
public sealed record ListenerSasl
{
    /// <summary>Mechanisms offered, by their IANA names.</summary>
    public IReadOnlyList<string> Mechanisms { get; init; } = ["SCRAM-SHA-256", "SCRAM-SHA-512"];

    /// <summary>Tokens accepted by OAUTHBEARER; required where that is offered.</summary>
    public OAuthOptions? OAuth { get; init; }

    /// <summary>A session must be renewed within this time (KIP-368, <c>connections.max.reauth.ms</c>); null: it lasts as long as the connection.</summary>
    public TimeSpan? MaxSession { get; init; }
}
