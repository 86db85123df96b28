using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Tests.Server;

/// <summary>
/// What belongs together in a transaction is one unit of the log, which is there as a whole or not at all: so a kill or a power cut between its parts
/// cannot be. That a unit is never torn is the log's tests' to show.
/// </summary>
public sealed class TransactionFrameTests
{
    const string Id = "tx", Group = "g";

    [Theory, InlineData(true), InlineData(false)]
    public async Task The_end_with_its_decision_all_markers_offsets_and_the_next_epoch_is_one_unit(bool commit)
    {
        await using var broker = await TestBroker.StartAsync();
        var topic = await broker.CreateAsync("t", 3);
        await using var client = await broker.ConnectAsync();
        var producer = await InitAsync(client);
        for (var partition = 0; partition < 3; partition++) await ProduceAsync(client, producer, partition);
        await AddOffsetAsync(client, producer);
        var before = broker.Store.Figures.Units;
        var end = await client.CallAsync<EndTxnRequest, EndTxnResponse>(new() { TransactionalId = Id, ProducerId = producer.Id, ProducerEpoch = producer.Epoch, Committed = commit }, 5);
        Assert.Equal((0, producer.Epoch + 1), (end.ErrorCode, end.ProducerEpoch));
        Assert.Equal(1, broker.Store.Figures.Units - before);
        Assert.All(topic.Partitions, p => Assert.Equal((2, 2), (p.HighWatermark, p.LastStableOffset)));
        Assert.Equal(commit ? 5 : -1, await OffsetAsync(client));
    }

    [Fact]
    public async Task The_first_record_in_a_partition_and_that_the_partition_belongs_to_the_transaction_are_one_unit()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t", 2);
        await using var client = await broker.ConnectAsync();
        var producer = await InitAsync(client);
        for (var partition = 0; partition < 2; partition++)
        {
            var before = broker.Store.Figures.Units;
            await ProduceAsync(client, producer, partition);
            Assert.Equal(1, broker.Store.Figures.Units - before);
        }
        var described = await client.CallAsync<DescribeTransactionsRequest, DescribeTransactionsResponse>(new() { TransactionalIds = [Id] }, 0);
        Assert.Equal([0, 1], described.TransactionStates[0].Topics[0].Partitions.Order());
    }

    [Fact]
    public async Task The_end_that_a_reader_of_committed_records_is_told_is_the_last_stable_offset()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t");
        await using var client = await broker.ConnectAsync();
        await client.ProduceAsync("t", Batches.Of("plain"));
        await ProduceAsync(client, await InitAsync(client), 0);
        Assert.Equal((2, 1), (await EndAsync(client, isolation: 0), await EndAsync(client, isolation: 1)));
    }

    static async Task<long> EndAsync(RawClient client, sbyte isolation)
    {
        var answer = await client.CallAsync<ListOffsetsRequest, ListOffsetsResponse>(
            new() { ReplicaId = -1, IsolationLevel = isolation, Topics = [new() { Name = "t", Partitions = [new() { Timestamp = -1, CurrentLeaderEpoch = -1 }] }] }, 5);
        return answer.Topics[0].Partitions[0].Offset;
    }

    static async Task<(long Id, short Epoch)> InitAsync(RawClient client)
    {
        var answer = await client.CallAsync<InitProducerIdRequest, InitProducerIdResponse>(new() { TransactionalId = Id, TransactionTimeoutMs = 60_000, ProducerId = -1, ProducerEpoch = -1 }, 5);
        Assert.Equal(0, answer.ErrorCode);
        return (answer.ProducerId, answer.ProducerEpoch);
    }

    static async Task ProduceAsync(RawClient client, (long Id, short Epoch) producer, int partition)
    {
        var batch = Batches.Of(producer.Id, producer.Epoch, 0, "a");
        Batches.MakeTransactional(batch);
        var request = Requests.Produce("t", batch, partition: partition);
        request.TransactionalId = Id;
        Assert.Equal(0, (await client.CallAsync<ProduceRequest, ProduceResponse>(request, 12)).Responses[0].PartitionResponses[0].ErrorCode);
    }

    static async Task AddOffsetAsync(RawClient client, (long Id, short Epoch) producer)
    {
        var answer = await client.CallAsync<TxnOffsetCommitRequest, TxnOffsetCommitResponse>(new()
        {
            TransactionalId = Id, GroupId = Group, ProducerId = producer.Id, ProducerEpoch = producer.Epoch,
            Topics = [new() { Name = "t", Partitions = [new() { PartitionIndex = 1, CommittedOffset = 5 }] }],
        }, 5);
        Assert.Equal((short)KafkaError.None, answer.Topics[0].Partitions[0].ErrorCode);
    }

    static async Task<long> OffsetAsync(RawClient client)
    {
        var answer = await client.CallAsync<OffsetFetchRequest, OffsetFetchResponse>(
            new() { RequireStable = true, Groups = [new() { GroupId = Group, Topics = [new() { Name = "t", PartitionIndexes = [1] }] }] }, 8);
        return answer.Groups[0].Topics[0].Partitions[0].CommittedOffset;
    }
}
