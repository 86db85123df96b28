using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace IotGateway.Tests.Mqtt.Brokers;

/// <summary>A proxy by RFC 9110 §9.3.6 and by RFC 1928/1929, written without the connector's code: it takes what it is told to and passes bytes on.</summary>
sealed class FakeProxy : IAsyncDisposable
{
    readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource _over = new();
    readonly string? _user;
    readonly List<Task> _tunnels = [];
    readonly Task _running;

    /// <param name="user">NAME:PASSWORD it wants; null for none.</param>
    public FakeProxy(string? user = null)
    {
        _user = user;
        _listener.Start();
        _running = RunAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Where it was asked to connect to, as written.</summary>
    public List<string> Asked { get; } = [];

    async Task RunAsync()
    {
        while (true)
            try
            {
                _tunnels.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_over.Token)));
            }
            catch (OperationCanceledException)
            {
                return;
            }
    }

    async Task ServeAsync(TcpClient near)
    {
        using var client = near;
        var stream = near.GetStream();
        try
        {
            var first = new byte[1];
            await stream.ReadExactlyAsync(first, _over.Token);
            if (await (first[0] == 5 ? SocksAsync(stream) : HttpAsync(stream, (char)first[0])) is not { } target) return;
            using var far = new TcpClient();
            await far.ConnectAsync(IPAddress.Loopback, int.Parse(target[(target.LastIndexOf(':') + 1)..], CultureInfo.InvariantCulture), _over.Token); // names are all this machine here
            await Task.WhenAny(stream.CopyToAsync(far.GetStream(), _over.Token), far.GetStream().CopyToAsync(stream, _over.Token));
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or SocketException) { } // one side has gone
    }

    async Task<string?> HttpAsync(NetworkStream stream, char first)
    {
        var reader = new StreamReader(stream, Encoding.ASCII, false, 1, leaveOpen: true);
        var request = first + await reader.ReadLineAsync(_over.Token);
        var allowed = _user is null;
        while (await reader.ReadLineAsync(_over.Token) is { Length: > 0 } line) allowed |= line == "Proxy-Authorization: Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(_user ?? ""));
        var target = request.Split(' ')[1];
        Asked.Add(target);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(allowed ? "HTTP/1.1 200 OK\r\nVia: test\r\n\r\n" : "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"), _over.Token);
        return request == $"CONNECT {target} HTTP/1.1" && allowed ? target : null;
    }

    async Task<string?> SocksAsync(NetworkStream stream)
    {
        var methods = await TakeAsync(stream, (await TakeAsync(stream, 1))[0]);
        await stream.WriteAsync(new byte[] { 5, (byte)(_user is null ? 0 : methods.Contains((byte)2) ? 2 : 255) }, _over.Token);
        if (_user is not null)
        {
            await TakeAsync(stream, 1);
            var name = Encoding.UTF8.GetString(await TakeAsync(stream, (await TakeAsync(stream, 1))[0]));
            var right = $"{name}:{Encoding.UTF8.GetString(await TakeAsync(stream, (await TakeAsync(stream, 1))[0]))}" == _user;
            await stream.WriteAsync(new byte[] { 1, (byte)(right ? 0 : 1) }, _over.Token);
            if (!right) return null;
        }
        var head = await TakeAsync(stream, 4);
        var host = head[3] == 1 ? new IPAddress(await TakeAsync(stream, 4)).ToString() : Encoding.UTF8.GetString(await TakeAsync(stream, (await TakeAsync(stream, 1))[0]));
        var target = $"{host}:{BinaryPrimitives.ReadUInt16BigEndian(await TakeAsync(stream, 2))}";
        Asked.Add(target);
        await stream.WriteAsync(new byte[] { 5, 0, 0, 3, 4, 1, 2, 3, 4, 9, 9 }, _over.Token); // its own end, as a name
        return target;
    }

    async Task<byte[]> TakeAsync(NetworkStream stream, int count)
    {
        var bytes = new byte[count];
        await stream.ReadExactlyAsync(bytes, _over.Token);
        return bytes;
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await _running;
        await Task.WhenAll(_tunnels);
        _listener.Dispose();
        _over.Dispose();
    }
}
