using System.Net.Http;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using IotGateway.Sdk.Config;

namespace IotGateway.Connectors.Mqtt.Client;

/// <summary>Opens the byte stream to a broker over any supported transport. The caller owns and disposes the stream.</summary>
static class Transport
{
    public static async Task<Stream> OpenAsync(MqttAddress address, TlsConfig? tls, IReadOnlyList<string> pins, MqttProxy? proxy, CancellationToken ct)
    {
        var stream = await SecuredAsync(address, tls, pins, proxy, ct).ConfigureAwait(false);
        return address.IsWebSocket ? await WebSocketAsync(address, stream, ct).ConfigureAwait(false) : stream;
    }

    static async Task<Stream> SecuredAsync(MqttAddress address, TlsConfig? tls, IReadOnlyList<string> pins, MqttProxy? proxy, CancellationToken ct)
    {
        var stream = await SocketAsync(address, proxy, ct).ConfigureAwait(false);
        if (!address.IsTls) return stream;
        var ssl = new SslStream(stream);
        try
        {
            await ssl.AuthenticateAsClientAsync(MqttTls.Options(tls, pins, address.Host), ct).ConfigureAwait(false);
            return ssl;
        }
        catch
        {
            await ssl.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    static async Task<NetworkStream> SocketAsync(MqttAddress address, MqttProxy? proxy, CancellationToken ct)
    {
        if (proxy is not null && !address.IsUnix) return await Tunnel.OpenAsync(proxy, address.Host, address.Port, ct).ConfigureAwait(false);
        var socket = address.IsUnix ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) : new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            if (address.IsUnix) await socket.ConnectAsync(new UnixDomainSocketEndPoint(address.Path), ct).ConfigureAwait(false);
            else await socket.ConnectAsync(address.Host, address.Port, ct).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>MQTT 5 §6: binary frames, subprotocol <c>mqtt</c>; frame borders mean nothing. Over a stream of ours: the handler's own TLS knows no other server name than the address's.</summary>
    static async Task<Stream> WebSocketAsync(MqttAddress address, Stream stream, CancellationToken ct)
    {
        using var http = new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, ConnectCallback = (_, _) => new(stream) };
        using var invoker = new HttpMessageInvoker(http, disposeHandler: false);
        var socket = new ClientWebSocket();
        try
        {
            socket.Options.AddSubProtocol("mqtt");
            await socket.ConnectAsync(new UriBuilder(address.ToString()) { Scheme = "ws", Port = address.Port }.Uri, invoker, ct).ConfigureAwait(false);
            return WebSocketStream.Create(socket, WebSocketMessageType.Binary, ownsWebSocket: true);
        }
        catch
        {
            socket.Dispose();
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }
}
