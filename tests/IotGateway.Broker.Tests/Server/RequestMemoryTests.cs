using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Server;
using IotGateway.Broker.Tests.Security;

namespace IotGateway.Broker.Tests.Server;

/// <summary>Requests that are small in the socket and large in memory.</summary>
[Collection(nameof(Alone))]
public sealed class RequestMemoryTests
{
    [Fact]
    public async Task A_huge_frame_of_tiny_things_ends_its_connection_before_it_takes_the_memory()
    {
        const int names = 10_000_000, mebibyte = 1 << 20;
        await using var broker = await TestBroker.StartAsync();
        await using var other = await broker.ConnectAsync();
        await using var hostile = await broker.ConnectAsync();
        var frame = hostile.Frame(new MetadataRequest { Topics = [.. Enumerable.Repeat(new MetadataRequest.MetadataRequestTopic { Name = "abc" }, names)] }, 1);
        Assert.InRange(frame.Length, names * 5, names * 5 + 100);
        var before = GC.GetTotalAllocatedBytes(precise: true);
        await hostile.SendAsync(frame);
        Assert.Null(await hostile.ReceiveAsync());
        // The frame itself, what may be read out of it, and the sockets.
        Assert.InRange((GC.GetTotalAllocatedBytes(precise: true) - before) / mebibyte, 0, 300);
        await other.CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = null }, 9);
        Assert.Equal((0, 0), (broker.Server.Broker.Budget.Claimed, broker.Server.Broker.Contents.Claimed));
    }

    [Fact]
    public async Task What_is_read_out_of_a_request_counts_until_it_is_answered()
    {
        const int partitions = 5_000;
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t", partitions);
        await using var reader = await broker.ConnectAsync();
        var request = Requests.Fetch("t", 0, maxWait: 60_000);
        request.Topics[0].Partitions = [.. Enumerable.Range(0, partitions).Select(i => new FetchRequest.FetchPartition { Partition = i, FetchOffset = 0, PartitionMaxBytes = 1 })];
        await reader.SendAsync(request, 11);
        // Once it is read, what it did not take is given back.
        var claimed = 0L;
        for (var i = 0; i < 1_000 && claimed is < partitions * 32 or > 2 << 20; i++, await Task.Delay(5, TestContext.Current.CancellationToken)) claimed = broker.Server.Broker.Contents.Claimed;
        Assert.InRange(claimed, partitions * 32, 2 << 20);
        await using var writer = await broker.ConnectAsync();
        await writer.ProduceAsync("t", Batches.Of("a"));
        await reader.ReceiveAsync<FetchResponse>(11);
        await reader.CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = [] }, 9); // begins when the fetch is done with
        Assert.InRange(broker.Server.Broker.Contents.Claimed, 0, 4096); // the last answers may just have left
    }

    [Fact]
    public async Task Answers_of_any_kind_that_are_not_read_count()
    {
        const int partitions = 500_000;
        await using var broker = await TestBroker.StartAsync();
        await using var lazy = await broker.ConnectAsync();
        await lazy.SendAsync(new ListOffsetsRequest
        {
            ReplicaId = -1,
            Topics = [new() { Name = "none", Partitions = [.. Enumerable.Range(0, partitions).Select(i => new ListOffsetsRequest.ListOffsetsPartition { PartitionIndex = i, Timestamp = -1, CurrentLeaderEpoch = -1 })] }],
        }, 5);
        await broker.Meters.WaitForAsync("iotgateway.broker.bytes/out", partitions * 26);
        Assert.InRange(broker.Server.Broker.FetchMemory.Held, partitions * 26, 20 << 20);
        Assert.Equal(partitions, (await lazy.ReceiveAsync<ListOffsetsResponse>(5)).Topics[0].Partitions.Count);
        await lazy.CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = [] }, 9);
        Assert.InRange(broker.Server.Broker.FetchMemory.Held, 0, 1 << 20);
    }

    [Fact]
    public void A_frame_may_take_sixteen_times_its_size_within_bounds()
        => Assert.Equal([1 << 20, 1 << 20, 16 << 20, 128 << 20, 128 << 20], new[] { 10, 1 << 16, 1 << 20, 8 << 20, 100 << 20 }.Select(KafkaReader.Allowance));

    [Fact]
    public async Task A_claim_made_smaller_lets_the_next_one_in()
    {
        var budget = new MemoryBudget(256 << 20, 128 << 20);
        await budget.ClaimAsync(128 << 20, CancellationToken.None);
        var second = budget.ClaimAsync(128 << 20, CancellationToken.None).AsTask();
        Assert.False(second.IsCompleted);
        budget.Shrink(128 << 20, 1000);
        await second;
        budget.Release(1000);
        budget.Release(128 << 20);
        Assert.Equal(0, budget.Claimed);
    }
}
