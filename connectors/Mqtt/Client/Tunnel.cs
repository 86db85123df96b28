using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace IotGateway.Connectors.Mqtt.Client;

/// <summary>
/// A connection through a proxy: CONNECT of HTTP/1.1 (RFC 9110 §9.3.6) or SOCKS 5 (RFC 1928, RFC 1929). Names are resolved by the proxy. Whatever it
/// refuses is an <see cref="IOException"/> that names it; at most 8 KiB of its answer are read.
/// </summary>
static class Tunnel
{
    const int MostAnswer = 8 * 1024;

    public static async Task<NetworkStream> OpenAsync(MqttProxy proxy, string host, int port, CancellationToken ct)
    {
        var address = new Uri(proxy.Address);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            try
            {
                await socket.ConnectAsync(address.DnsSafeHost, address.Port, ct).ConfigureAwait(false);
            }
            catch (SocketException e)
            {
                throw new IOException($"the proxy {proxy.Address} cannot be reached: {e.Message}", e);
            }
            var stream = new NetworkStream(socket, ownsSocket: true);
            try
            {
                await (address.Scheme == "http" ? HttpAsync(stream, proxy, host, port, ct) : SocksAsync(stream, proxy, host, port, ct)).ConfigureAwait(false);
            }
            catch (EndOfStreamException e)
            {
                throw new IOException($"the proxy {proxy.Address} closed the connection instead of answering.", e);
            }
            return stream;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    static async Task HttpAsync(NetworkStream stream, MqttProxy proxy, string host, int port, CancellationToken ct)
    {
        var target = string.Create(CultureInfo.InvariantCulture, $"{(host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host)}:{port}");
        var request = new StringBuilder($"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
        if (proxy.Username is not null) request.Append("Proxy-Authorization: Basic ").Append(Convert.ToBase64String(Encoding.UTF8.GetBytes($"{proxy.Username}:{proxy.Password}"))).Append("\r\n");
        await stream.WriteAsync(Encoding.UTF8.GetBytes(request.Append("\r\n").ToString()), ct).ConfigureAwait(false);
        var answer = new byte[MostAnswer];
        for (var length = 0; ;) // byte by byte: what follows the empty line is the broker's
        {
            if (length == answer.Length) throw new IOException($"the proxy {proxy.Address} answers without end.");
            await stream.ReadExactlyAsync(answer.AsMemory(length++, 1), ct).ConfigureAwait(false);
            if (!answer.AsSpan(0, length).EndsWith("\r\n\r\n"u8)) continue;
            var status = Encoding.ASCII.GetString(answer.AsSpan(0, answer.AsSpan().IndexOf((byte)'\r'))).Split(' ', 3);
            if (status.Length < 2 || !status[0].StartsWith("HTTP/1.", StringComparison.Ordinal)) throw new IOException($"{proxy.Address} is no HTTP proxy.");
            if (status[1] is ['2', _, _]) return;
            throw new IOException($"the proxy {proxy.Address} refuses a connection to {target}: {Clean(string.Join(' ', status[1..]))}.{(status[1] is "407" or "401" /* tinyproxy */ ? " Check proxy.username and proxy.password." : "")}");
        }
    }

    static async Task SocksAsync(NetworkStream stream, MqttProxy proxy, string host, int port, CancellationToken ct)
    {
        const byte Version = 5, NoAuthentication = 0, UserAndPassword = 2;
        var answer = new byte[2];
        await stream.WriteAsync(proxy.Username is null ? [Version, 1, NoAuthentication] : new byte[] { Version, 1, UserAndPassword }, ct).ConfigureAwait(false);
        await stream.ReadExactlyAsync(answer, ct).ConfigureAwait(false);
        if (answer[0] != Version) throw new IOException($"{proxy.Address} is no SOCKS 5 proxy.");
        if (answer[1] == UserAndPassword && proxy.Username is not null)
        {
            await stream.WriteAsync(new byte[] { 1 }.Concat(Text(proxy.Username)).Concat(Text(proxy.Password ?? "")).ToArray(), ct).ConfigureAwait(false); // RFC 1929 §2
            await stream.ReadExactlyAsync(answer, ct).ConfigureAwait(false);
            if (answer[1] != 0) throw new IOException($"the proxy {proxy.Address} refuses the user name and password. Check proxy.username and proxy.password.");
        }
        else if (answer[1] != NoAuthentication) throw new IOException($"the proxy {proxy.Address} asks for another authentication. Check proxy.username and proxy.password.");
        var number = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(number, (ushort)port);
        await stream.WriteAsync(new byte[] { Version, 1, 0 }.Concat(Host(host)).Concat(number).ToArray(), ct).ConfigureAwait(false); // RFC 1928 §4
        var head = new byte[5];
        await stream.ReadExactlyAsync(head, ct).ConfigureAwait(false);
        if (head[1] != 0) throw new IOException($"the proxy {proxy.Address} refuses a connection to {host}:{port}: {Words(head[1])}.");
        var rest = head[3] switch { 1 => 4, 3 => 1 + head[4], 4 => 16, _ => throw new IOException($"{proxy.Address} is no SOCKS 5 proxy.") } + 2 - 1; // one byte of the address is read
        await stream.ReadExactlyAsync(new byte[rest], ct).ConfigureAwait(false);
    }

    static byte[] Text(string text) => Encoding.UTF8.GetBytes(text) is { Length: <= byte.MaxValue } bytes ? [(byte)bytes.Length, .. bytes] : throw new IOException("SOCKS 5 takes names and passwords of 255 bytes at most.");

    static byte[] Host(string host) => IPAddress.TryParse(host, out var ip) ? [(byte)(ip.AddressFamily == AddressFamily.InterNetwork ? 1 : 4), .. ip.GetAddressBytes()] : [3, .. Text(host)];

    static string Words(byte reply) => reply switch // RFC 1928 §6
    {
        2 => "not allowed", 3 => "network unreachable", 4 => "host unreachable", 5 => "connection refused", 6 => "time to live expired", _ => string.Create(CultureInfo.InvariantCulture, $"error {reply}"),
    };

    static string Clean(string text) => string.Concat(text.Take(200).Select(c => char.IsControl(c) ? ' ' : c));
}
