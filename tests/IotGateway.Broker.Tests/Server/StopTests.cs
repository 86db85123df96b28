using System.Diagnostics;
using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Tests.Server;

public sealed class StopTests
{
    [Fact]
    public async Task Stops_at_once_with_idle_and_waiting_clients_and_answers_what_it_took()
    {
        var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t");
        await using var idle = await broker.ConnectAsync();
        await idle.CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = null }, 9);
        await using var waiting = await broker.ConnectAsync();
        await waiting.CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = null }, 9);
        await waiting.SendAsync(Requests.Fetch("t", 0, maxWait: 60_000), 11);
        await broker.Meters.WaitForAsync("iotgateway.broker.requests/Fetch", 1);
        var started = Stopwatch.GetTimestamp();
        await broker.DisposeAsync();
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0, 4);
        Assert.Null(await idle.ReceiveAsync());
        Assert.Single((await waiting.ReceiveAsync<FetchResponse>(11)).Responses);
    }
}
