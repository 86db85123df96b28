using Confluent.Kafka;
using Confluent.Kafka.Admin;
using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Tests.Server;

/// <summary>Topics made by clients, where the gateway has rules for them.</summary>
public sealed class NewTopicTests
{
    const string Bulk = "bulk.north";
    static readonly Dictionary<string, string> Ruled = new() { ["compression.type"] = "zstd", ["iotgateway.lane"] = "low" };

    static BrokerOptions Options => new()
    {
        DefaultPartitions = 2,
        NewTopics = static name => name.StartsWith("bulk.", StringComparison.Ordinal) ? (3, new() { Settings = Ruled }) : (2, new()),
    };

    [Fact]
    public async Task One_made_because_it_was_asked_for_is_as_the_rules_say()
    {
        await using var broker = await TestBroker.StartAsync(Options);
        await using var client = await broker.ConnectAsync();
        var asked = await client.CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = [new() { Name = Bulk }, new() { Name = "other" }], AllowAutoTopicCreation = true }, 9);
        Assert.Equal([3, 2], asked.Topics.Select(t => t.Partitions.Count));
        Assert.Equal(("zstd", 1, "low", 1), await DescribeAsync(client, Bulk));
        Assert.Equal(("producer", 5, "normal", 5), await DescribeAsync(client, "other"));
    }

    [Fact]
    public async Task One_made_by_producing_to_it_is_as_the_rules_say()
    {
        await using var broker = await TestBroker.StartAsync(Options);
        using var producer = new ProducerBuilder<Null, string>(new ProducerConfig { BootstrapServers = broker.Bootstrap, AllowAutoCreateTopics = true }).Build();
        await producer.ProduceAsync(Bulk, new() { Value = "x" }, TestContext.Current.CancellationToken);
        using var admin = new DependentAdminClientBuilder(producer.Handle).Build();
        var told = (await admin.DescribeConfigsAsync([new() { Type = ResourceType.Topic, Name = Bulk }]))[0].Entries;
        Assert.Equal(("zstd", "low", 3), (told["compression.type"].Value, told["iotgateway.lane"].Value, broker.Store.Find(Bulk)!.Partitions.Count));
    }

    [Fact]
    public async Task What_a_client_gives_wins_over_the_rules_and_these_over_defaults()
    {
        await using var broker = await TestBroker.StartAsync(Options);
        await using var client = await broker.ConnectAsync();
        var made = await client.CallAsync<CreateTopicsRequest, CreateTopicsResponse>(new()
        {
            Topics =
            [
                new() { Name = Bulk, NumPartitions = -1, ReplicationFactor = -1 },
                new() { Name = "bulk.own", NumPartitions = 1, ReplicationFactor = 1, Configs = [new() { Name = "iotgateway.lane", Value = "normal" }] },
                new() { Name = "other", NumPartitions = -1, ReplicationFactor = -1, Configs = [new() { Name = "iotgateway.lane", Value = "high" }] },
            ],
        }, 7);
        Assert.Equal([(0, 3), (0, 1), (0, 2)], made.Topics.Select(t => ((int)t.ErrorCode, t.NumPartitions)));
        // The answer tells what DescribeConfigs tells.
        Assert.Equal(("zstd", 1), made.Topics[0].Configs!.Where(c => c.Name == "compression.type").Select(c => (c.Value, (int)c.ConfigSource)).Single());
        Assert.Equal(("zstd", 1, "low", 1), await DescribeAsync(client, Bulk));
        Assert.Equal(("zstd", 1, "normal", 1), await DescribeAsync(client, "bulk.own"));
        Assert.Equal(("producer", 5, "high", 1), await DescribeAsync(client, "other"));
    }

    [Fact]
    public async Task Changed_rules_count_for_topics_made_from_then_on()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        await broker.Server.ReconfigureAsync(Options, TestContext.Current.CancellationToken);
        await client.CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = [new() { Name = Bulk }], AllowAutoTopicCreation = true }, 9);
        Assert.Equal(("zstd", 1, "low", 1), await DescribeAsync(client, Bulk));
    }

    static async Task<(string?, int, string?, int)> DescribeAsync(RawClient client, string topic)
    {
        var told = (await client.CallAsync<DescribeConfigsRequest, DescribeConfigsResponse>(
            new() { Resources = [new() { ResourceType = 2, ResourceName = topic, ConfigurationKeys = ["compression.type", "iotgateway.lane"] }] }, 4)).Results[0].Configs.OrderBy(c => c.Name, StringComparer.Ordinal).ToList();
        return (told[0].Value, told[0].ConfigSource, told[1].Value, told[1].ConfigSource);
    }
}
