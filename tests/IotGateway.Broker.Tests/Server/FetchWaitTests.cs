using System.Diagnostics;
using System.Globalization;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Tests.Security;

namespace IotGateway.Broker.Tests.Server;

/// <summary>Fetches that ask for more than there is or may be: how long they wait, and what they hold meanwhile.</summary>
[Collection(nameof(Alone))]
public sealed class FetchWaitTests
{
    const int Batch = 1_000_000;

    [Fact]
    public async Task More_bytes_than_an_answer_may_have_are_not_waited_for()
    {
        const int connections = 8, partitionLimit = 8 << 20;
        await using var broker = await TestBroker.StartAsync();
        await FillAsync(broker, 40);
        var clients = await Task.WhenAll(Enumerable.Range(0, connections).Select(_ => broker.ConnectAsync()));
        foreach (var client in clients) await client.SendAsync(Fetch(partitionLimit), 11);
        var started = Stopwatch.GetTimestamp();
        foreach (var client in clients)
        {
            var records = (await client.ReceiveAsync<FetchResponse>(11)).Responses[0].Partitions[0].Records!.Value;
            Assert.InRange(records.Length, partitionLimit - Batch - 200, partitionLimit);
            await client.DisposeAsync();
        }
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0, 9); // RawClient's patience is ten, the fetch's sixty
    }

    [Fact]
    public async Task Clients_that_wait_hold_no_records()
    {
        const int connections = 12;
        await using var broker = await TestBroker.StartAsync();
        await FillAsync(broker, 20);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var clients = await Task.WhenAll(Enumerable.Range(0, connections).Select(_ => broker.ConnectAsync()));
        // Up to 32 MiB may come in one answer: 20 are not enough.
        foreach (var client in clients) await client.SendAsync(Fetch(int.MaxValue), 11);
        await broker.Meters.WaitForAsync("iotgateway.broker.requests/Fetch", connections);
        await using var other = await broker.ConnectAsync();
        await other.CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = null }, 9);
        Assert.InRange(await SettledAsync(before + (30 << 20)) - before, long.MinValue, 30 << 20);
        Assert.InRange(broker.Server.Broker.FetchMemory.Held, 0, 8 << 20);
        Assert.Equal(0, broker.Meters.Peak("iotgateway.broker.unread/"));
        foreach (var client in clients) await client.DisposeAsync();
    }

    [Fact]
    public async Task A_partition_named_twice_is_answered_once_as_asked_for_last()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t");
        await using var client = await broker.ConnectAsync();
        await client.ProduceAsync("t", Batches.Of("a"));
        var twice = Requests.Fetch("t", 7);
        twice.Topics.AddRange(Requests.Fetch("t", 0).Topics);
        var partition = Assert.Single(Assert.Single((await client.CallAsync<FetchRequest, FetchResponse>(twice, 11)).Responses).Partitions);
        Assert.Equal(0, partition.ErrorCode);
        Assert.NotEqual(0, partition.Records!.Value.Length);
    }

    [Fact]
    public async Task The_system_looks_after_clients_that_vanish()
    {
        const string keepAlive = "02";
        if (!File.Exists("/proc/self/net/tcp")) Assert.Skip("The timers of sockets are told by Linux.");
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        await client.CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = null }, 9);
        var local = string.Create(CultureInfo.InvariantCulture, $"0100007F:{broker.Server.Endpoints[0].Port:X4}");
        var timers = (await File.ReadAllLinesAsync("/proc/self/net/tcp", TestContext.Current.CancellationToken)).Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(f => f[1] == local && f[3] == "01").Select(f => f[5].Split(':')).ToList();
        var timer = Assert.Single(timers);
        Assert.Equal(keepAlive, timer[0]);
        Assert.InRange(int.Parse(timer[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture) / 100, 200, 300);
    }

    static FetchRequest Fetch(int partitionLimit)
    {
        var request = Requests.Fetch("t", 0, maxWait: 60_000, maxBytes: 55 << 20);
        request.MinBytes = int.MaxValue;
        request.Topics[0].Partitions[0].PartitionMaxBytes = partitionLimit;
        return request;
    }

    static async Task FillAsync(TestBroker broker, int batches)
    {
        await broker.CreateAsync("t");
        await using var client = await broker.ConnectAsync();
        var batch = Batches.Of(new string('x', Batch));
        for (var i = 0; i < batches; i++) Assert.Equal(0, (await client.ProduceAsync("t", batch)).ErrorCode);
    }

    /// <summary>Live memory, once it is below a bound or does not fall any more.</summary>
    static async Task<long> SettledAsync(long bound)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        var live = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < 30 && live > bound; i++)
        {
            await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
            live = GC.GetTotalMemory(forceFullCollection: true);
        }
        return live;
    }
}
