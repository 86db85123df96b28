using System.Net;
using System.Net.Sockets;
using IotGateway.Broker.Security.OAuth;
using IotGateway.Broker.Security.Tls;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

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
        if (connection.Features.Get<IConnectionSocketFeature>() is { } feature) KeepAlive(feature.Socket);
        await using var serving = new Connection(connection, this, broker);
        await serving.RunAsync();
    }

    /// <summary>
    /// A client may wait for records as long as it likes, and one whose machine lost its power or its link never says that it is gone: after 7½ minutes
    /// without a sign of life the system ends the connection.
    /// </summary>
    static void KeepAlive(Socket socket)
    {
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 300);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 30);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 5);
    }
}
