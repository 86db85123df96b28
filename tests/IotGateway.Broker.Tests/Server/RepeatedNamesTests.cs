using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Server;

namespace IotGateway.Broker.Tests.Server;

/// <summary>Requests that name the same thing again and again: the answer is as large as what they ask about, not as often as they ask.</summary>
public sealed class RepeatedNamesTests
{
    const int Often = 10_000;

    [Fact]
    public async Task Topics_are_told_once()
    {
        await using var broker = await TestBroker.StartAsync();
        var topic = await broker.CreateAsync("t", 3);
        await using var client = await broker.ConnectAsync();
        var byName = await client.CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = Repeat(new MetadataRequest.MetadataRequestTopic { Name = "t" }) }, 12);
        Assert.Equal(3, Assert.Single(byName.Topics).Partitions.Count);
        var byId = await client.CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = Repeat(new MetadataRequest.MetadataRequestTopic { Name = null, TopicId = topic.Id }) }, 12);
        Assert.Equal("t", Assert.Single(byId.Topics).Name);
    }

    [Fact]
    public async Task Settings_are_told_once_all_that_were_asked_for()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        DescribeConfigsRequest.DescribeConfigsResource Ask(params string[]? keys) => new() { ResourceType = ConfigResources.BrokerType, ResourceName = "1", ConfigurationKeys = keys?.ToList() };
        var some = await client.CallAsync<DescribeConfigsRequest, DescribeConfigsResponse>(new() { Resources = [Ask("broker.id"), Ask("num.partitions"), .. Repeat(Ask("broker.id"))] }, 4);
        Assert.Equal(["broker.id", "num.partitions"], Assert.Single(some.Results).Configs.Select(c => c.Name).Order());
        var all = await client.CallAsync<DescribeConfigsRequest, DescribeConfigsResponse>(new() { Resources = [Ask("broker.id"), .. Repeat(Ask(null))] }, 4);
        Assert.InRange(Assert.Single(all.Results).Configs.Count, 20, 1000);
    }

    [Fact]
    public async Task Groups_are_told_once()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t");
        await using var client = await broker.ConnectAsync();
        await client.CallAsync<OffsetCommitRequest, OffsetCommitResponse>(new() { GroupId = "g", GenerationIdOrMemberEpoch = -1, Topics = [new() { Name = "t", Partitions = [new() { CommittedOffset = 5 }] }] }, 8);
        var fetched = await client.CallAsync<OffsetFetchRequest, OffsetFetchResponse>(new() { Groups = Repeat(new OffsetFetchRequest.OffsetFetchRequestGroup { GroupId = "g", Topics = null }) }, 8);
        Assert.Equal(5, Assert.Single(fetched.Groups).Topics[0].Partitions[0].CommittedOffset);
        Assert.Single((await client.CallAsync<DescribeGroupsRequest, DescribeGroupsResponse>(new() { Groups = Repeat("g") }, 5)).Groups);
        Assert.Single((await client.CallAsync<ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse>(new() { GroupIds = Repeat("g") }, 1)).Groups);
    }

    [Fact]
    public async Task Records_for_a_partition_are_written_once_the_last()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t", 2);
        await using var client = await broker.ConnectAsync();
        var answer = await client.CallAsync<ProduceRequest, ProduceResponse>(new()
        {
            Acks = -1, TimeoutMs = 5000, TopicData = [Data((0, ["a"]), (1, ["b"]), (0, ["c"])), Data((0, ["d", "e"]), (1, ["f"]))],
        }, 9);
        Assert.Equal([(0, 0L, 0), (1, 0L, 0)], Assert.Single(answer.Responses).PartitionResponses.Select(p => (p.Index, p.BaseOffset, (int)p.ErrorCode)));
        Assert.Equal([2, 1], broker.Store.Find("t")!.Partitions.Select(p => p.HighWatermark));
    }

    [Fact]
    public async Task Transactions_and_producers_are_told_once()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t");
        await using var client = await broker.ConnectAsync();
        Assert.Single((await client.CallAsync<DescribeTransactionsRequest, DescribeTransactionsResponse>(new() { TransactionalIds = Repeat("x") }, 0)).TransactionStates);
        var producers = await client.CallAsync<DescribeProducersRequest, DescribeProducersResponse>(new() { Topics = [new() { Name = "t", PartitionIndexes = Repeat(0) }] }, 0);
        Assert.Single(Assert.Single(producers.Topics).Partitions);
    }

    [Fact]
    public async Task Offsets_of_a_partition_asked_for_twice_are_an_error()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t", 2);
        await using var client = await broker.ConnectAsync();
        ListOffsetsRequest.ListOffsetsPartition Ask(int partition, long time) => new() { PartitionIndex = partition, Timestamp = time, CurrentLeaderEpoch = -1 };
        var answers = (await client.CallAsync<ListOffsetsRequest, ListOffsetsResponse>(
            new() { ReplicaId = -1, Topics = [new() { Name = "t", Partitions = [Ask(0, -1), Ask(1, -1), Ask(0, -2)] }] }, 5)).Topics[0].Partitions;
        Assert.Equal([(short)KafkaError.InvalidRequest, 0], answers.Select(a => a.ErrorCode));
    }

    [Fact]
    public async Task One_request_makes_ten_thousand_partitions_at_most()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        var response = await client.CallAsync<CreateTopicsRequest, CreateTopicsResponse>(new()
        {
            ValidateOnly = true,
            Topics = [.. Enumerable.Range(0, Often + 1).Select(i => new CreateTopicsRequest.CreatableTopic { Name = $"t{i}", NumPartitions = 1, ReplicationFactor = 1 })],
        }, 7);
        Assert.Equal(Often + 1, response.Topics.Count);
        Assert.All(response.Topics, t => Assert.Equal((short)KafkaError.PolicyViolation, t.ErrorCode));
    }

    static List<T> Repeat<T>(T one) => [.. Enumerable.Repeat(one, Often)];

    static ProduceRequest.TopicProduceData Data(params (int Partition, string[] Values)[] data)
        => new() { Name = "t", PartitionData = [.. data.Select(d => new ProduceRequest.PartitionProduceData { Index = d.Partition, Records = Batches.Of(d.Values) })] };
}
