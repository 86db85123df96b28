using System.Net;

namespace IotGateway.Broker;

/// <summary>One address the broker listens on, and how clients are told to reach it.</summary>
public sealed record BrokerListener
{
    /// <summary>Its name in logs and metrics.</summary>
    public string Name { get; init; } = "PLAINTEXT";

    /// <summary>Address and port; port 0 takes a free one.</summary>
    public required IPEndPoint Endpoint { get; init; }

    /// <summary>Host told to clients; null: the address listened on (not allowed when that is a wildcard).</summary>
    public string? AdvertisedHost { get; init; }

    /// <summary>Port told to clients; null: the port listened on.</summary>
    public int? AdvertisedPort { get; init; }

    /// <summary>TLS; null: plain text.</summary>
    public ListenerTls? Tls { get; init; }

    /// <summary>How clients say who they are; null: they do not.</summary>
    public ListenerSasl? Sasl { get; init; }
}
