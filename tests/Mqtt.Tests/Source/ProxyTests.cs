using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Net.Sockets;
using IotGateway.Connectors.Mqtt;
using IotGateway.Sdk;
using IotGateway.Sdk.Config;
using IotGateway.Tests.Mqtt.Brokers;

namespace IotGateway.Tests.Mqtt.Source;

/// <summary>Brokers reached by way of a proxy.</summary>
public sealed class ProxyTests
{
    [Theory]
    [InlineData("http", "mqtt", null)]
    [InlineData("http", "mqtt", "me:secret")]
    [InlineData("http", "ws", "me:secret")]
    [InlineData("http", "mqtts", null)]
    [InlineData("socks5", "mqtt", null)]
    [InlineData("socks5", "mqtts", "me:secret")]
    [InlineData("socks5", "ws", null)]
    public async Task A_broker_is_reached_through_it_by_the_name_written(string kind, string transport, string? user)
    {
        await using var proxy = new FakeProxy(user);
        await using var broker = await Mosquitto.StartAsync(folder =>
        {
            using var certificates = new Certificates(folder);
            certificates.Sign("server", "broker.plant");
        }, [.. transport switch { "ws" => ["listener $PORT2 127.0.0.1", "protocol websockets"], "mqtts" => ["listener $PORT2 127.0.0.1", "certfile $FOLDER/server.pem", "keyfile $FOLDER/server.key"], _ => Array.Empty<string>() }]);
        var port = transport == "mqtt" ? broker.Port : broker.Port2;
        var gateway = new Gateway($"{transport}://broker.plant:{port}"); // a name only the proxy knows
        gateway.Config = gateway.Config with
        {
            Tls = transport == "mqtts" ? new() { Ca = broker.Folder + "/ca.pem" } : null,
            Proxy = new() { Address = $"{kind}://127.0.0.1:{proxy.Port}", Username = user?.Split(':')[0], Password = user?.Split(':')[1] },
        };
        await using var run = await gateway.Driver().StartAsync();
        await broker.PublishAsync("a", ["x"]);
        await run.UntilAsync(s => s.Records.Count == 1);
        Assert.Equal([$"broker.plant:{port}"], proxy.Asked);
    }

    [Theory]
    [InlineData("http", "407")]
    [InlineData("socks5", "proxy.username")]
    public async Task One_that_refuses_is_named_with_what_to_do_and_without_the_password(string kind, string word)
    {
        await using var proxy = new FakeProxy("me:secret");
        var gateway = new Gateway("mqtt://127.0.0.1:1883");
        gateway.Config = gateway.Config with { Proxy = new() { Address = $"{kind}://127.0.0.1:{proxy.Port}", Username = "me", Password = "hidden" } };
        await using var source = gateway.Create();
        var e = await Assert.ThrowsAsync<IOException>(() => source.OpenAsync(OpenMode.Run, TestContext.Current.CancellationToken).AsTask());
        Assert.Contains(gateway.Config.Proxy.Address, e.Message, StringComparison.Ordinal);
        Assert.Contains(word, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hidden", e.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http", "SSH-2.0-x\r\n\r\n", "no HTTP proxy")]
    [InlineData("http", "HTTP/1.1 200 OK", "did not answer")] // the empty line never comes
    [InlineData("http", "", "closed the connection")]
    [InlineData("socks5", "HT", "no SOCKS 5 proxy")]
    [InlineData("socks5", "\u0005\u0000\u0005\u0005\u0000\u0001aaaaaa", "connection refused")]
    public async Task What_is_no_proxy_is_told_and_given_up_in_time(string kind, string answer, string word)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var gateway = new Gateway("mqtt://broker:1883");
        gateway.Config = gateway.Config with { Timeout = TimeSpan.FromSeconds(1), Proxy = new() { Address = $"{kind}://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}" } };
        await using var source = gateway.Create();
        var opening = source.OpenAsync(OpenMode.Run, TestContext.Current.CancellationToken).AsTask();
        using var connection = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        await connection.GetStream().WriteAsync(System.Text.Encoding.Latin1.GetBytes(answer), TestContext.Current.CancellationToken);
        if (answer.Length == 0)
        {
            await connection.GetStream().ReadExactlyAsync(new byte["CONNECT broker:1883 HTTP/1.1\r\nHost: broker:1883\r\n\r\n".Length], TestContext.Current.CancellationToken); // what is unread would be a reset
            connection.Close();
        }
        Assert.Contains(word, (await Assert.ThrowsAsync<IOException>(() => opening)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_without_end_is_not_read_to_its_end()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var gateway = new Gateway("mqtt://broker:1883");
        gateway.Config = gateway.Config with { Proxy = new() { Address = $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}" } };
        await using var source = gateway.Create();
        var opening = source.OpenAsync(OpenMode.Run, TestContext.Current.CancellationToken).AsTask();
        using var connection = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        await connection.GetStream().WriteAsync(new byte[9_000], TestContext.Current.CancellationToken);
        Assert.Contains("without end", (await Assert.ThrowsAsync<IOException>(() => opening)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://p:3128", "mqtt://h", true)]
    [InlineData("socks5://p:1080", "wss://h", true)]
    [InlineData("https://p:1", "mqtt://h", false)]
    [InlineData("http://me:x@p:1", "mqtt://h", false)]
    [InlineData("p:3128", "mqtt://h", false)]
    [InlineData("http://p:3128", "unix:///s", false)]
    public void Addresses_are_checked_in_the_configuration(string proxy, string endpoint, bool valid)
    {
        var config = new MqttConfig { Endpoint = new Endpoints(endpoint), Subscriptions = [new() { Filter = "a" }], Proxy = new() { Address = proxy } };
        Assert.Equal(valid, !config.Validate(new ValidationContext(config)).Any());
    }
}
