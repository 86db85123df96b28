using System.Net;
using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Tests.Server;

public sealed class ListenerTests
{
    [Fact]
    public async Task Each_listener_tells_its_own_address()
    {
        await using var broker = await TestBroker.StartAsync();
        var options = new BrokerOptions
        {
            Listeners =
            [
                new() { Name = "INSIDE", Endpoint = new(IPAddress.Loopback, 0) },
                new() { Name = "OUTSIDE", Endpoint = new(IPAddress.Loopback, 0), AdvertisedHost = "press.plant", AdvertisedPort = 19092 },
            ],
        };
        await using var server = await BrokerServer.StartAsync(options, broker.Store, broker.Logger, TimeProvider.System, null, TestContext.Current.CancellationToken);
        Assert.Equal(("127.0.0.1", server.Endpoints[0].Port), await AskAsync(server.Endpoints[0]));
        Assert.Equal(("press.plant", 19092), await AskAsync(server.Endpoints[1]));
    }

    [Fact]
    public async Task Listening_on_all_addresses_needs_a_name_to_tell()
    {
        await using var broker = await TestBroker.StartAsync();
        var options = new BrokerOptions { Listeners = [new() { Endpoint = new(IPAddress.Any, 0) }] };
        var refused = await Assert.ThrowsAsync<ArgumentException>(() =>
            BrokerServer.StartAsync(options, broker.Store, broker.Logger, TimeProvider.System, null, TestContext.Current.CancellationToken));
        Assert.Contains("advertised", refused.Message, StringComparison.Ordinal);
    }

    static async Task<(string, int)> AskAsync(IPEndPoint endpoint)
    {
        await using var client = await RawClient.ConnectAsync(endpoint);
        var metadata = (await client.CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = null }, 9)).Brokers[0];
        var cluster = (await client.CallAsync<DescribeClusterRequest, DescribeClusterResponse>(new(), 1)).Brokers[0];
        var coordinator = await client.CallAsync<FindCoordinatorRequest, FindCoordinatorResponse>(new() { Key = "g" }, 2);
        Assert.Equal((metadata.Host, metadata.Port), (cluster.Host, cluster.Port));
        Assert.Equal((metadata.Host, metadata.Port), (coordinator.Host, coordinator.Port));
        return (metadata.Host, metadata.Port);
    }
}
