using System.Diagnostics;
using System.Globalization;
using IotGateway.Sdk;
using IotGateway.Testing;
using IotGateway.Tests.Mqtt.Brokers;

namespace IotGateway.Tests.Mqtt.Source;

/// <summary>Proxies that others wrote: tinyproxy (HTTP CONNECT) and microsocks (SOCKS 5), in front of mosquitto.</summary>
public sealed class IndependentProxyTests
{
    [Theory]
    [InlineData("http", "mqtt", null)]
    [InlineData("http", "mqtts", "me:secret")]
    [InlineData("http", "ws", null)]
    [InlineData("socks5", "mqtt", null)]
    [InlineData("socks5", "mqtts", "me:secret")]
    [InlineData("socks5", "ws", "me:secret")]
    public async Task Messages_come_through_it_and_a_broken_connection_is_made_anew(string kind, string transport, string? user)
    {
        await using var proxy = await RealProxy.StartAsync(kind, user);
        await using var broker = await Mosquitto.StartAsync(folder =>
        {
            using var certificates = new Certificates(folder);
            certificates.Sign("server", "localhost");
        }, [.. transport switch { "ws" => ["listener $PORT2 127.0.0.1", "protocol websockets"], "mqtts" => ["listener $PORT2 127.0.0.1", "certfile $FOLDER/server.pem", "keyfile $FOLDER/server.key"], _ => Array.Empty<string>() }]);
        var port = transport == "mqtt" ? broker.Port : broker.Port2;
        var gateway = Behind(proxy, kind, user, $"{transport}://localhost:{port}");
        gateway.Config = gateway.Config with { Tls = transport == "mqtts" ? new() { Ca = broker.Folder + "/ca.pem" } : null };
        var run = await gateway.Driver().StartAsync();
        await broker.PublishAsync("a", Enumerable.Range(0, 500).Select(i => i.ToString(CultureInfo.InvariantCulture)));
        await run.UntilAsync(s => s.Records.Count == 500);
        await run.KillAsync();
        await broker.PublishAsync("a", ["meanwhile"]);
        await using var next = await gateway.Driver().StartAsync();
        await next.UntilAsync(s => s.Records.Count == 501);
        Assert.Equal([.. Enumerable.Range(0, 500).Select(i => i.ToString(CultureInfo.InvariantCulture)), "meanwhile"], gateway.Payloads);
        await LoggedAsync(proxy, string.Create(CultureInfo.InvariantCulture, $"localhost:{port}"));
    }

    [Theory]
    [InlineData("http")] // with 401, where 407 would be right
    [InlineData("socks5")]
    public async Task A_wrong_password_is_told_without_showing_it(string kind)
    {
        await using var proxy = await RealProxy.StartAsync(kind, "me:secret");
        var gateway = Behind(proxy, kind, "me:hidden", "mqtt://127.0.0.1:1883");
        await using var source = gateway.Create();
        var e = await Assert.ThrowsAsync<IOException>(() => source.OpenAsync(OpenMode.Run, TestContext.Current.CancellationToken).AsTask());
        Assert.Contains(gateway.Config.Proxy!.Address, e.Message, StringComparison.Ordinal);
        Assert.Contains("Check proxy.username and proxy.password", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hidden", e.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http")]
    [InlineData("socks5")]
    public async Task A_broker_that_is_away_behind_it_is_named(string kind)
    {
        await using var proxy = await RealProxy.StartAsync(kind, null);
        var address = $"mqtt://127.0.0.1:{Ports.Free()}";
        await using var source = Behind(proxy, kind, null, address).Create();
        var e = await Assert.ThrowsAsync<IOException>(() => source.OpenAsync(OpenMode.Run, TestContext.Current.CancellationToken).AsTask());
        Assert.Contains(address, e.Message, StringComparison.Ordinal);
        Assert.Contains($"{kind}://", e.Message, StringComparison.Ordinal);
    }

    static Gateway Behind(RealProxy proxy, string kind, string? user, string address)
    {
        var gateway = new Gateway(address);
        gateway.Config = gateway.Config with { Proxy = new() { Address = $"{kind}://127.0.0.1:{proxy.Port}", Username = user?.Split(':')[0], Password = user?.Split(':')[1] } };
        return gateway;
    }

    static async Task LoggedAsync(RealProxy proxy, string text)
    {
        for (var watch = Stopwatch.StartNew(); !proxy.Log.Contains(text, StringComparison.Ordinal);)
        {
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(10), $"'{text}' is not in what the proxy logged: {proxy.Log}");
            await Task.Delay(TimeSpan.FromMilliseconds(25), TimeProvider.System);
        }
    }
}
