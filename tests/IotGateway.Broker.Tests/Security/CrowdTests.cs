using System.Net;
using System.Security.Cryptography.X509Certificates;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Tests.Server;

namespace IotGateway.Broker.Tests.Security;

/// <summary>A thousand connections of strangers: they cost little and keep nobody out.</summary>
[Collection(nameof(Alone))]
public sealed class CrowdTests
{
    const int Strangers = 1000;
    const long MostBytes = 64L << 20;

    [Theory]
    [InlineData("")] // nothing
    [InlineData("000100000011")] // 64 KiB announced, a few bytes sent
    public async Task Hold_little_memory_and_keep_nobody_out(string sent)
    {
        // A budget which the announced frames would use up many times over.
        await using var broker = await SaslBroker.StartAsync(new ListenerSasl { Mechanisms = ["PLAIN"] }, new() { MemoryBudgetBytes = 4 << 20, MaxFrameBytes = 1 << 20 });
        await AssertServedAsync(Convert.FromHexString(sent.Replace("00010000", "0000ffff", StringComparison.Ordinal)), broker.Inner, () => broker.Inner.ConnectAsync());
    }

    [Theory]
    [InlineData("")]
    [InlineData("160301")] // the beginning of a handshake
    public async Task Hold_little_memory_and_keep_nobody_out_with_TLS(string sent)
    {
        using var ca = new TestCa();
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(ca.Authority);
        await using var broker = await TestBroker.StartAsync(new() { Users = [new("mes", "secret")] },
            listeners: new BrokerListener { Name = "plant", Endpoint = new(IPAddress.Loopback, 0), Tls = ca.Listener(), Sasl = new() { Mechanisms = ["PLAIN"] } });
        await AssertServedAsync(Convert.FromHexString(sent), broker, () => RawClient.ConnectAsync(broker.Server.Endpoints[0], new() { TargetHost = "localhost", CertificateChainPolicy = policy }));
    }

    [Fact]
    public async Task Make_room_for_clients_when_there_are_too_many()
    {
        await using var broker = await SaslBroker.StartAsync(new ListenerSasl { Mechanisms = ["PLAIN"] }, new() { MaxConnections = 20 });
        await using var known = await broker.Inner.ConnectAsync();
        await SaslBroker.LogInAsync(known);
        var strangers = new List<RawClient>();
        for (var i = 0; i < 50; i++)
        {
            strangers.Add(await broker.Inner.ConnectAsync());
            await strangers[^1].SendAsync(strangers[^1].Frame(new ApiVersionsRequest { ClientSoftwareName = "s", ClientSoftwareVersion = "1" }, 3));
        }
        await using var late = await broker.Inner.ConnectAsync();
        Assert.Equal(0, (await SaslBroker.LogInAsync(late)).ErrorCode);
        await known.CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = null }, 9);
        Assert.NotNull(await strangers[^1].ReceiveAsync());
        await strangers[0].ReceiveAsync(); // the answer, if it was written before there were too many
        Assert.Null(await strangers[0].ReceiveAsync());
        foreach (var stranger in strangers) await stranger.DisposeAsync();
    }

    [Fact]
    public async Task Are_closed_when_they_do_not_authenticate_whatever_else_they_ask()
    {
        await using var broker = await SaslBroker.StartAsync(new ListenerSasl { Mechanisms = ["PLAIN"] }, new() { FrameTimeout = TimeSpan.FromMilliseconds(500) });
        await using var stranger = await broker.Inner.ConnectAsync();
        var answers = 0;
        var started = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(10))
        {
            try
            {
                await stranger.SendAsync(new ApiVersionsRequest { ClientSoftwareName = "s", ClientSoftwareVersion = "1" }, 3);
            }
            catch (IOException)
            {
                break;
            }
            if (await stranger.ReceiveAsync() is null) break;
            answers++;
        }
        Assert.InRange(TimeProvider.System.GetElapsedTime(started), TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(5));
        Assert.NotEqual(0, answers);
    }

    static async Task AssertServedAsync(byte[] sent, TestBroker broker, Func<Task<RawClient>> connect)
    {
        var before = Live();
        var strangers = new List<RawClient>();
        for (var i = 0; i < Strangers; i++)
        {
            strangers.Add(await broker.ConnectAsync());
            await strangers[^1].SendAsync(sent);
        }
        await broker.Meters.WaitForAsync("iotgateway.broker.connections/plant", Strangers);
        var started = TimeProvider.System.GetTimestamp();
        await using var client = await connect();
        Assert.Equal(0, (await SaslBroker.LogInAsync(client)).ErrorCode);
        await client.CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = null }, 9);
        Assert.InRange(TimeProvider.System.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(5));
        var held = Live() - before;
        foreach (var stranger in strangers) await stranger.DisposeAsync();
        TestContext.Current.TestOutputHelper?.WriteLine($"{Strangers} connections hold {held >> 10} KiB, both sides.");
        Assert.InRange(held, long.MinValue, MostBytes);
    }

    static long Live() => GC.GetTotalMemory(forceFullCollection: true);
}
