using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Acceptance.Tests.HostileBrokers;

/// <summary>A broker that does to each connection what its script says, and counts them.</summary>
sealed class HostileBroker : IAsyncDisposable
{
    readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource _over = new();
    readonly Func<Stream, CancellationToken, Task> _script;
    readonly X509Certificate2? _certificate;
    readonly List<Task> _connections = [];
    readonly Task _accepting;

    public HostileBroker(Func<Stream, CancellationToken, Task> script, X509Certificate2? certificate = null)
    {
        (_script, _certificate) = (script, certificate);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Connections so far.</summary>
    public int Connections { get; private set; }

    async Task AcceptAsync()
    {
        while (true)
            try
            {
                var client = await _listener.AcceptTcpClientAsync(_over.Token);
                Connections++;
                _connections.Add(ServeAsync(client));
            }
            catch (OperationCanceledException)
            {
                return;
            }
    }

    async Task ServeAsync(TcpClient client)
    {
        using var _ = client;
        try
        {
            Stream stream = client.GetStream();
            if (_certificate is not null)
            {
                var tls = new SslStream(stream);
                await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate }, _over.Token);
                stream = tls;
            }
            await _script(stream, _over.Token);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or SocketException or System.Security.Authentication.AuthenticationException) { } // the gateway has left
    }

    /// <summary>Takes CONNECT, answers it, and answers SUBSCRIBE of one filter with QoS 1. MQTT 5.</summary>
    public static async Task WelcomeAsync(Stream stream, CancellationToken ct)
    {
        await PacketAsync(stream, ct);
        await stream.WriteAsync(new byte[] { 0x20, 3, 0, 0, 0 }, ct);
        var subscribe = await PacketAsync(stream, ct);
        if (subscribe.Length < 2) throw new IOException("The gateway left.");
        await stream.WriteAsync(new byte[] { 0x90, 4, subscribe[0], subscribe[1], 0, 1 }, ct);
    }

    /// <summary>The next packet without its header; a header of two or three bytes.</summary>
    public static async Task<byte[]> PacketAsync(Stream stream, CancellationToken ct)
    {
        var head = new byte[2];
        await stream.ReadExactlyAsync(head, ct);
        var length = head[1] & 0x7F;
        if ((head[1] & 0x80) != 0)
        {
            await stream.ReadExactlyAsync(head.AsMemory(0, 1), ct);
            length |= head[0] << 7;
        }
        var body = new byte[length];
        await stream.ReadExactlyAsync(body, ct);
        return body;
    }

    /// <summary>A PUBLISH of QoS 0 as MQTT 5 writes it.</summary>
    public static byte[] Publish(string topic, int payload)
    {
        var length = 2 + topic.Length + 1 + payload;
        var header = new List<byte> { 0x30 };
        for (; length > 0x7F; length >>= 7) header.Add((byte)(length & 0x7F | 0x80));
        header.Add((byte)length);
        return [.. header, (byte)(topic.Length >> 8), (byte)topic.Length, .. Encoding.ASCII.GetBytes(topic), 0, .. new byte[payload]];
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await _accepting;
        await Task.WhenAll(_connections);
        _listener.Dispose();
        _over.Dispose();
        _certificate?.Dispose();
    }
}
