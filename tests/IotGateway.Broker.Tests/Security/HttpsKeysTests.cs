using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using IotGateway.Broker.Security.OAuth;
using IotGateway.Broker.Tests.Server;

namespace IotGateway.Broker.Tests.Security;

public sealed class HttpsKeysTests : IDisposable
{
    readonly TestCa _ca = new();
    readonly TestIssuer _issuer = new();
    readonly ListLogger _logger = new();

    public void Dispose()
    {
        _ca.Dispose();
        _issuer.Dispose();
    }

    [Fact]
    public async Task Are_fetched_once_and_again_for_a_new_key_but_not_for_every_wrong_one()
    {
        await using var server = new Server(_ca, () => "200 OK", () => _issuer.Keys());
        var clock = new ManualClock();
        using var keys = new HttpsKeys(server.Address, _ca.Authority, _logger, clock);
        Assert.Single((await keys.GetAsync("rsa", default)).Find("rsa"));
        for (var i = 0; i < 10; i++) Assert.Empty((await keys.GetAsync($"wrong{i}", default)).Find($"wrong{i}"));
        Assert.Equal(1, server.Requests);
        clock.Advance(TimeSpan.FromMinutes(2));
        await keys.GetAsync("wrong", default);
        Assert.Equal(2, server.Requests);
        clock.Advance(TimeSpan.FromHours(2));
        await keys.GetAsync("rsa", default);
        Assert.Equal(3, server.Requests);
    }

    [Fact]
    public async Task Stay_in_force_when_the_provider_is_down()
    {
        var status = "200 OK";
        await using var server = new Server(_ca, () => status, () => _issuer.Keys());
        var clock = new ManualClock();
        using var keys = new HttpsKeys(server.Address, _ca.Authority, _logger, clock);
        await keys.GetAsync("rsa", default);
        status = "500 No";
        clock.Advance(TimeSpan.FromHours(2));
        Assert.Single((await keys.GetAsync("rsa", default)).Find("rsa"));
        Assert.Contains(_logger.Lines, l => l.Text.Contains("It answers 500", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("302 Found", null, "It answers 302")] // not followed
    [InlineData("200 OK", "no JSON", "It is no JSON")]
    [InlineData("200 OK", "{}", "no list 'keys'")]
    public async Task What_is_no_key_set_is_refused(string status, string? body, string problem)
    {
        await using var server = new Server(_ca, () => status, () => body ?? _issuer.Keys());
        using var keys = new HttpsKeys(server.Address, _ca.Authority, _logger, TimeProvider.System);
        await Assert.ThrowsAsync<JwksException>(() => keys.GetAsync("rsa", default).AsTask());
        Assert.Contains(_logger.Lines, l => l.Text.Contains(problem, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Come_only_from_who_has_the_right_certificate()
    {
        using var stranger = new TestCa();
        await using var server = new Server(_ca, () => "200 OK", () => _issuer.Keys());
        using var keys = new HttpsKeys(server.Address, stranger.Authority, _logger, TimeProvider.System);
        await Assert.ThrowsAsync<JwksException>(() => keys.GetAsync("rsa", default).AsTask());
    }

    [Theory, InlineData("https://169.254.169.254/keys"), InlineData("https://[fe80::1]/keys"), InlineData("https://[::ffff:169.254.169.254]/keys")]
    public async Task Never_come_from_a_link_local_address(string address)
    {
        using var keys = new HttpsKeys(new(address), null, _logger, TimeProvider.System);
        await Assert.ThrowsAsync<JwksException>(() => keys.GetAsync("rsa", default).AsTask());
        Assert.Contains(_logger.Lines, l => l.Text.Contains("link-local", StringComparison.Ordinal));
    }

    /// <summary>The least of an https server: one answer for every connection.</summary>
    sealed class Server : IAsyncDisposable
    {
        readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        readonly Task _serving;
        int _requests;

        public Server(TestCa ca, Func<string> status, Func<string> body)
        {
            _listener.Start();
            var files = ca.Listener();
            _serving = ServeAsync(X509Certificate2.CreateFromPemFile(files.Certificate, files.Key), status, body);
        }

        public Uri Address => new($"https://localhost:{((IPEndPoint)_listener.LocalEndpoint).Port}/keys");

        public int Requests => Volatile.Read(ref _requests);

        public async ValueTask DisposeAsync()
        {
            _listener.Stop();
            await _serving;
            _listener.Dispose();
        }

        async Task ServeAsync(X509Certificate2 certificate, Func<string> status, Func<string> body)
        {
            while (true)
            {
                try
                {
                    using var tcp = await _listener.AcceptTcpClientAsync();
                    await using var stream = new SslStream(tcp.GetStream());
                    await stream.AuthenticateAsServerAsync(certificate);
                    using var reader = new StreamReader(stream);
                    while (await reader.ReadLineAsync() is { Length: > 0 })
                    {
                    }
                    Interlocked.Increment(ref _requests);
                    var content = body();
                    await stream.WriteAsync(Encoding.UTF8.GetBytes($"HTTP/1.1 {status()}\r\nContent-Length: {Encoding.UTF8.GetByteCount(content)}\r\nLocation: /other\r\nConnection: close\r\n\r\n{content}"));
                }
                catch (Exception end) when (end is SocketException or ObjectDisposedException or InvalidOperationException)
                {
                    return;
                }
                catch (Exception refused) when (refused is IOException or System.Security.Authentication.AuthenticationException)
                {
                    continue; // a client that does not like the certificate
                }
            }
        }
    }
}
