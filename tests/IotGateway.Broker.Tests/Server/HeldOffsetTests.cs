using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Tests.Server;

/// <summary>Offsets that a transaction holds for a group, over a restart.</summary>
public sealed class HeldOffsetTests
{
    [Fact]
    public async Task What_a_group_did_meanwhile_counts_after_a_restart()
    {
        var directory = Directory.CreateTempSubdirectory("held").FullName;
        InitProducerIdResponse producer;
        await using (var broker = await TestBroker.StartAsync(directory: directory, keep: true))
        {
            await broker.CreateAsync("t", 3);
            await using var client = await broker.ConnectAsync();
            producer = await client.CallAsync<InitProducerIdRequest, InitProducerIdResponse>(new() { TransactionalId = "id", TransactionTimeoutMs = 60_000, ProducerId = -1, ProducerEpoch = -1 }, 5);
            var held = await client.CallAsync<TxnOffsetCommitRequest, TxnOffsetCommitResponse>(new()
            {
                TransactionalId = "id", ProducerId = producer.ProducerId, ProducerEpoch = producer.ProducerEpoch, GroupId = "g", GenerationId = -1,
                Topics = [new() { Name = "t", Partitions = [.. Enumerable.Range(0, 3).Select(p => new TxnOffsetCommitRequest.TxnOffsetCommitRequestPartition { PartitionIndex = p, CommittedOffset = 5, CommittedLeaderEpoch = -1 })] }],
            }, 5);
            Assert.All(held.Topics[0].Partitions, p => Assert.Equal(0, p.ErrorCode));
            var committed = await client.CallAsync<OffsetCommitRequest, OffsetCommitResponse>(new()
            {
                GroupId = "g", GenerationIdOrMemberEpoch = -1, Topics = [new() { Name = "t", Partitions = [new() { PartitionIndex = 1, CommittedOffset = 9 }] }],
            }, 8);
            Assert.Equal(0, committed.Topics[0].Partitions[0].ErrorCode);
            var deleted = await client.CallAsync<OffsetDeleteRequest, OffsetDeleteResponse>(new() { GroupId = "g", Topics = [new() { Name = "t", Partitions = [new() { PartitionIndex = 2 }] }] }, 0);
            Assert.Equal((0, 0), (deleted.ErrorCode, deleted.Topics[0].Partitions[0].ErrorCode));
        }
        await using (var broker = await TestBroker.StartAsync(directory: directory))
        {
            await using var client = await broker.ConnectAsync();
            Assert.Equal("g", Assert.Single((await client.CallAsync<ListGroupsRequest, ListGroupsResponse>(new(), 5)).Groups).GroupId);
            Assert.Equal([(-1, 88), (-1, 88), (-1, 0)], await FetchAsync(client));
            var ended = await client.CallAsync<EndTxnRequest, EndTxnResponse>(new() { TransactionalId = "id", ProducerId = producer.ProducerId, ProducerEpoch = producer.ProducerEpoch, Committed = true }, 5);
            Assert.Equal(0, ended.ErrorCode);
            Assert.Equal([(5, 0), (9, 0), (-1, 0)], await FetchAsync(client));
        }
    }

    [Fact]
    public async Task A_group_with_nothing_but_held_offsets_outlives_a_restart()
    {
        var directory = Directory.CreateTempSubdirectory("held").FullName;
        await using (var broker = await TestBroker.StartAsync(directory: directory, keep: true))
        {
            await broker.CreateAsync("t", 3);
            await using var client = await broker.ConnectAsync();
            var producer = await client.CallAsync<InitProducerIdRequest, InitProducerIdResponse>(new() { TransactionalId = "id", TransactionTimeoutMs = 60_000, ProducerId = -1, ProducerEpoch = -1 }, 5);
            await client.CallAsync<TxnOffsetCommitRequest, TxnOffsetCommitResponse>(new()
            {
                TransactionalId = "id", ProducerId = producer.ProducerId, ProducerEpoch = producer.ProducerEpoch, GroupId = "g", GenerationId = -1,
                Topics = [new() { Name = "t", Partitions = [new() { PartitionIndex = 0, CommittedOffset = 5, CommittedLeaderEpoch = -1 }] }],
            }, 5);
        }
        await using (var broker = await TestBroker.StartAsync(directory: directory))
        {
            await using var client = await broker.ConnectAsync();
            Assert.Equal([(-1, 88), (-1, 0), (-1, 0)], await FetchAsync(client));
            Assert.Equal(0, (await client.CallAsync<DeleteGroupsRequest, DeleteGroupsResponse>(new() { GroupsNames = ["g"] }, 2)).Results[0].ErrorCode);
            Assert.Equal([(-1, 0), (-1, 0), (-1, 0)], await FetchAsync(client));
            Assert.Empty((await client.CallAsync<ListGroupsRequest, ListGroupsResponse>(new(), 5)).Groups);
        }
    }

    static async Task<List<(long, short)>> FetchAsync(RawClient client)
    {
        var told = await client.CallAsync<OffsetFetchRequest, OffsetFetchResponse>(new() { RequireStable = true, Groups = [new() { GroupId = "g", Topics = [new() { Name = "t", PartitionIndexes = [0, 1, 2] }] }] }, 8);
        return [.. told.Groups[0].Topics[0].Partitions.Select(p => (p.CommittedOffset, p.ErrorCode))];
    }
}
