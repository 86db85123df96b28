using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Tests.Server;

public sealed class AdminTests
{
    [Theory, InlineData(2), InlineData(5), InlineData(7)]
    public async Task Creates_with_any_replication_factor_and_tells_one_replica(short version)
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        var made = await client.CallAsync<CreateTopicsRequest, CreateTopicsResponse>(
            new() { Topics = [new() { Name = "t", NumPartitions = 3, ReplicationFactor = 3, Configs = [new() { Name = "retention.ms", Value = "1000" }] }] }, version);
        Assert.Equal(0, made.Topics[0].ErrorCode);
        var topic = (await client.CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = [new() { Name = "t" }] }, 9)).Topics[0];
        Assert.Equal(3, topic.Partitions.Count);
        Assert.All(topic.Partitions, p => Assert.Equal([1], p.ReplicaNodes));
        Assert.Equal("1000", broker.Store.Find("t")!.Config.Settings["retention.ms"]);
    }

    [Theory]
    [InlineData("a b", 1, 1, "", "", (short)KafkaError.InvalidTopic)]
    [InlineData("..", 1, 1, "", "", (short)KafkaError.InvalidTopic)]
    [InlineData("there", 1, 1, "", "", (short)KafkaError.TopicAlreadyExists)]
    [InlineData("t", 0, 1, "", "", (short)KafkaError.InvalidPartitions)]
    [InlineData("t", 1, 0, "", "", (short)KafkaError.InvalidReplicationFactor)]
    [InlineData("t", 1, 1, "no.such", "1", (short)KafkaError.InvalidConfig)]
    [InlineData("t", 1, 1, "retention.ms", "soon", (short)KafkaError.InvalidConfig)]
    [InlineData("t", 1, 1, "cleanup.policy", "shred", (short)KafkaError.InvalidConfig)]
    [InlineData("t", 1, 1, "remote.storage.enable", "true", (short)KafkaError.InvalidConfig)]
    [InlineData("gateway.outcomes", 1, 1, "", "", (short)KafkaError.TopicAuthorizationFailed)]
    public async Task Refuses_to_create(string name, int partitions, short replicas, string setting, string value, short error)
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("there");
        await using var client = await broker.ConnectAsync();
        var topic = new CreateTopicsRequest.CreatableTopic { Name = name, NumPartitions = partitions, ReplicationFactor = replicas };
        if (setting != "") topic.Configs.Add(new() { Name = setting, Value = value });
        var made = await client.CallAsync<CreateTopicsRequest, CreateTopicsResponse>(new() { Topics = [topic] }, 7);
        Assert.Equal(error, made.Topics[0].ErrorCode);
        Assert.NotEmpty(made.Topics[0].ErrorMessage!);
        Assert.Equal("there", Assert.Single(broker.Store.Topics).Name);
    }

    [Theory, InlineData(true, true, 1), InlineData(false, true, 0), InlineData(true, false, 0)]
    public async Task Makes_a_topic_asked_for_only_when_client_and_broker_allow(bool client, bool broker, int topics)
    {
        await using var server = await TestBroker.StartAsync(new() { AutoCreateTopics = broker, DefaultPartitions = 2 });
        await using var raw = await server.ConnectAsync();
        var answer = (await raw.CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = [new() { Name = "t" }], AllowAutoTopicCreation = client }, 9)).Topics[0];
        Assert.Equal(topics, server.Store.Topics.Count);
        Assert.Equal(topics * 2, answer.Partitions.Count);
        Assert.Equal(topics == 1 ? 0 : (short)KafkaError.UnknownTopicOrPartition, answer.ErrorCode);
    }

    [Fact]
    public async Task Takes_names_that_differ_in_dots_and_underscores_only()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        foreach (var name in new[] { "a.b", "a_b" })
            Assert.Equal(0, (await client.CallAsync<CreateTopicsRequest, CreateTopicsResponse>(new() { Topics = [new() { Name = name, NumPartitions = 1, ReplicationFactor = 1 }] }, 7)).Topics[0].ErrorCode);
        await client.ProduceAsync("a.b", Batches.Of("dot"));
        Assert.Equal((1, 0), (broker.Store.Find("a.b")!.Partitions[0].HighWatermark, broker.Store.Find("a_b")!.Partitions[0].HighWatermark));
    }

    [Fact]
    public async Task Guards_the_gateways_own_topics()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("gateway.outcomes");
        await broker.CreateAsync("gateway.commands");
        await using var client = await broker.ConnectAsync();
        Assert.Equal((short)KafkaError.TopicAuthorizationFailed, (await client.ProduceAsync("gateway.outcomes", Batches.Of("forged"))).ErrorCode);
        Assert.Equal(0, (await client.ProduceAsync("gateway.commands", Batches.Of("a command"))).ErrorCode);
        var deleted = await client.CallAsync<DeleteTopicsRequest, DeleteTopicsResponse>(new() { TopicNames = ["gateway.outcomes", "gateway.commands"] }, 5);
        Assert.All(deleted.Responses, r => Assert.Equal((short)KafkaError.TopicAuthorizationFailed, r.ErrorCode));
        Assert.Equal(2, broker.Store.Topics.Count);
    }

    [Fact]
    public async Task Changes_single_settings_and_tells_where_each_comes_from()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t");
        await using var client = await broker.ConnectAsync();
        async Task<short> Alter(string name, sbyte operation, string? value) => (await client.CallAsync<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(
            new() { Resources = [new() { ResourceType = 2, ResourceName = "t", Configs = [new() { Name = name, ConfigOperation = operation, Value = value }] }] }, 1)).Responses[0].ErrorCode;
        async Task<DescribeConfigsResponse.DescribeConfigsResourceResult> Describe(string name) => (await client.CallAsync<DescribeConfigsRequest, DescribeConfigsResponse>(
            new() { Resources = [new() { ResourceType = 2, ResourceName = "t", ConfigurationKeys = [name] }], IncludeSynonyms = true }, 4)).Results[0].Configs.Single();

        Assert.Equal((5, "delete"), ((await Describe("cleanup.policy")).ConfigSource, (await Describe("cleanup.policy")).Value));
        Assert.Equal(0, await Alter("cleanup.policy", 2, "compact"));
        var changed = await Describe("cleanup.policy");
        Assert.Equal((1, "delete,compact"), (changed.ConfigSource, changed.Value));
        Assert.Equal(["delete,compact", "delete"], changed.Synonyms.Select(s => s.Value));
        Assert.Equal(0, await Alter("cleanup.policy", 3, "compact"));
        Assert.Equal("delete", (await Describe("cleanup.policy")).Value);
        Assert.Equal(0, await Alter("cleanup.policy", 1, null));
        Assert.Equal(5, (await Describe("cleanup.policy")).ConfigSource);
        Assert.Equal((short)KafkaError.InvalidConfig, await Alter("no.such", 0, "1"));
        Assert.Equal((short)KafkaError.InvalidConfig, await Alter("retention.ms", 2, "1"));
    }

    [Fact]
    public async Task Producer_ids_are_never_given_twice_also_across_a_restart()
    {
        var ids = new HashSet<long>();
        var first = await TestBroker.StartAsync(keep: true);
        await using (first) await TakeAsync(first);
        await using var second = await TestBroker.StartAsync(directory: first.Directory);
        await TakeAsync(second);
        Assert.Equal(20, ids.Count);

        async Task TakeAsync(TestBroker broker)
        {
            await using var client = await broker.ConnectAsync();
            for (var i = 0; i < 10; i++)
            {
                var given = await client.CallAsync<InitProducerIdRequest, InitProducerIdResponse>(new() { TransactionalId = null }, 4);
                Assert.Equal((0, 0), (given.ErrorCode, given.ProducerEpoch));
                ids.Add(given.ProducerId);
            }
        }
    }

    [Fact]
    public async Task Pages_through_the_partitions_of_topics()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("a", 3);
        await broker.CreateAsync("b", 2);
        await using var client = await broker.ConnectAsync();
        var seen = new List<string>();
        DescribeTopicPartitionsRequest.CursorData? cursor = null;
        do
        {
            var page = await client.CallAsync<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>(new() { ResponsePartitionLimit = 2, Cursor = cursor }, 0);
            seen.AddRange(page.Topics.SelectMany(t => t.Partitions.Select(p => $"{t.Name}{p.PartitionIndex}")));
            cursor = page.NextCursor is { } next ? new() { TopicName = next.TopicName, PartitionIndex = next.PartitionIndex } : null;
        }
        while (cursor is not null);
        Assert.Equal(["a0", "a1", "a2", "b0", "b1"], seen);
    }

    [Theory, InlineData(0), InlineData(1), InlineData(2)]
    public async Task Is_a_quorum_of_one(short version)
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        async Task<DescribeQuorumResponse.PartitionData> Ask(string topic) => (await client.CallAsync<DescribeQuorumRequest, DescribeQuorumResponse>(
            new() { Topics = [new() { TopicName = topic, Partitions = [new()] }] }, version)).Topics[0].Partitions[0];
        var before = await Ask("__cluster_metadata");
        Assert.Equal((0, 1, 1), (before.ErrorCode, before.LeaderId, before.LeaderEpoch));
        Assert.Equal(before.HighWatermark, Assert.Single(before.CurrentVoters).LogEndOffset);
        await broker.CreateAsync("t");
        Assert.InRange((await Ask("__cluster_metadata")).HighWatermark, before.HighWatermark + 1, long.MaxValue);
        Assert.Equal((short)KafkaError.UnknownTopicOrPartition, (await Ask("t")).ErrorCode);
    }

    [Fact]
    public async Task Keeps_what_the_gateway_relies_on_of_its_own_topics()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.Store.CreateTopicAsync("gateway.commands", 1, new() { Settings = new Dictionary<string, string> { ["iotgateway.durability"] = "fsync" } }, TestContext.Current.CancellationToken);
        await using var client = await broker.ConnectAsync();
        async Task<short> Set(string name, string value) => (await client.CallAsync<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(
            new() { Resources = [new() { ResourceType = 2, ResourceName = "gateway.commands", Configs = [new() { Name = name, Value = value }] }] }, 1)).Responses[0].ErrorCode;
        Assert.Equal((short)KafkaError.InvalidConfig, await Set("iotgateway.durability", "os"));
        Assert.Equal((short)KafkaError.InvalidConfig, await Set("cleanup.policy", "compact"));
        Assert.Equal(0, await Set("retention.ms", "86400000"));
        Assert.Equal((short)KafkaError.InvalidConfig, (await client.CallAsync<AlterConfigsRequest, AlterConfigsResponse>(
            new() { Resources = [new() { ResourceType = 2, ResourceName = "gateway.commands" }] }, 2)).Responses[0].ErrorCode);
    }
}
