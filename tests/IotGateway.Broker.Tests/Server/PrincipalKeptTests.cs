using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Tests.Server;

/// <summary>The producer's principal is kept beside what may become a command.</summary>
public sealed class PrincipalKeptTests
{
    [Fact]
    public async Task Keeps_who_produced_a_command_and_nothing_elsewhere()
    {
        await using var broker = await TestBroker.StartAsync();
        var commands = await broker.CreateAsync("gateway.commands");
        var others = await broker.CreateAsync("t");
        await using var client = await broker.ConnectAsync();
        Assert.Equal(0, (await client.ProduceAsync("gateway.commands", Batches.Of("one", "two"))).ErrorCode);
        Assert.Equal(0, (await client.ProduceAsync("t", Batches.Of("one"))).ErrorCode);
        Assert.Equal(["User:ANONYMOUS", "User:ANONYMOUS", null], Enumerable.Range(0, 3).Select(i => commands.Partitions[0].OriginOf(i)));
        Assert.Null(others.Partitions[0].OriginOf(0));
    }

    [Fact]
    public async Task Keeps_it_in_a_transaction_too()
    {
        await using var broker = await TestBroker.StartAsync();
        var commands = await broker.CreateAsync("gateway.commands");
        await using var client = await broker.ConnectAsync();
        var producer = await client.CallAsync<InitProducerIdRequest, InitProducerIdResponse>(new() { TransactionalId = "x", TransactionTimeoutMs = 60_000 }, 4);
        var batch = Batches.Of(producer.ProducerId, producer.ProducerEpoch, 0, "one");
        Batches.MakeTransactional(batch);
        var request = Requests.Produce("gateway.commands", batch);
        request.TransactionalId = "x";
        Assert.Equal(0, (await client.CallAsync<ProduceRequest, ProduceResponse>(request, 12)).Responses[0].PartitionResponses[0].ErrorCode);
        Assert.Equal("User:ANONYMOUS", commands.Partitions[0].OriginOf(0));
    }
}
