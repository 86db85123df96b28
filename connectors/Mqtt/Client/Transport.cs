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
        if (address.IsWebSocket) return await WebSocketAsync(address, tls, pins, proxy, ct).ConfigureAwait(false);
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

    /// <summary>MQTT 5 §6: binary frames, subprotocol <c>mqtt</c>; frame borders mean nothing.</summary>
    static async Task<Stream> WebSocketAsync(MqttAddress address, TlsConfig? tls, IReadOnlyList<string> pins, MqttProxy? proxy, CancellationToken ct)
    {
        using var http = new SocketsHttpHandler { UseProxy = false };
        if (proxy is not null) http.ConnectCallback = async (to, token) => await Tunnel.OpenAsync(proxy, to.DnsEndPoint.Host, to.DnsEndPoint.Port, token).ConfigureAwait(false);
        if (address.IsTls) http.SslOptions = MqttTls.Options(tls, pins, address.Host);
        using var invoker = new HttpMessageInvoker(http, disposeHandler: false);
        var socket = new ClientWebSocket();
        try
        {
            socket.Options.AddSubProtocol("mqtt");
            await socket.ConnectAsync(new Uri(address.ToString()), invoker, ct).ConfigureAwait(false);
            return WebSocketStream.Create(socket, WebSocketMessageType.Binary, ownsWebSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
