using System.Net;
using IotGateway.Broker.Security.OAuth;
using IotGateway.Broker.Security.Tls;
using Microsoft.AspNetCore.Connections;

namespace IotGateway.Broker.Server;

/// <summary>A bound listener: hands each of Kestrel's connections to a <see cref="Connection"/> of its own.</summary>
internal sealed class Listener(BrokerListener options, TlsEndpoint? tls, JwtVerifier? tokens, Broker broker) : ConnectionHandler
{
    public string Name => options.Name;

    public BrokerListener Options => options;

    /// <summary>TLS, or null.</summary>
    public TlsEndpoint? Tls => tls;

    /// <summary>Decides about tokens; null where none are taken.</summary>
    public JwtVerifier? Tokens => tokens;

    /// <summary>Where it listens; set once bound.</summary>
    public IPEndPoint? Bound { get; set; }

    public Advertised Advertised => new(
        options.AdvertisedHost ?? options.Endpoint.Address.ToString(),
        options.AdvertisedPort ?? Bound?.Port ?? options.Endpoint.Port);

    public override async Task OnConnectedAsync(ConnectionContext connection)
    {
        await using var serving = new Connection(connection, this, broker);
        await serving.RunAsync();
    }
}
