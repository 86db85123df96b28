using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Tests.Server;

/// <summary>What takes effect while the broker runs.</summary>
public sealed class ReconfigureTests
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Acls_switched_on_and_off_hold_for_clients_that_are_connected()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t");
        await using var client = await broker.ConnectAsync();
        Assert.Equal((KafkaError.None, KafkaError.SecurityDisabled), await AskAsync(client));
        await broker.Server.ReconfigureAsync(new() { Acls = new() }, Ct);
        Assert.Equal((KafkaError.TopicAuthorizationFailed, KafkaError.ClusterAuthorizationFailed), await AskAsync(client));
        await broker.Server.ReconfigureAsync(new() { Acls = new() { SuperUsers = ["User:ANONYMOUS"] } }, Ct);
        Assert.Equal((KafkaError.None, KafkaError.None), await AskAsync(client));
        await broker.Server.ReconfigureAsync(new(), Ct);
        Assert.Equal((KafkaError.None, KafkaError.SecurityDisabled), await AskAsync(client));
        // What was made while they were on holds when they are on again.
        await broker.Server.ReconfigureAsync(new() { Acls = new() { AllowEveryoneIfNoAclFound = true } }, Ct);
        Assert.Equal(0, (await client.CallAsync<CreateAclsRequest, CreateAclsResponse>(new()
        {
            Creations = [new() { ResourceType = 2, ResourceName = "t", ResourcePatternType = 3, Principal = "User:other", Host = "*", Operation = 3, PermissionType = 3 }],
        }, 3)).Results[0].ErrorCode);
        Assert.Equal((KafkaError.TopicAuthorizationFailed, KafkaError.None), await AskAsync(client));
        await broker.Server.ReconfigureAsync(new(), Ct);
        await broker.Server.ReconfigureAsync(new() { Acls = new() { AllowEveryoneIfNoAclFound = true } }, Ct);
        Assert.Equal((KafkaError.TopicAuthorizationFailed, KafkaError.None), await AskAsync(client));
        Assert.Contains(broker.Logger.Lines, l => l.Text.Contains("ACLs are now on", StringComparison.Ordinal));
    }

    [Fact]
    public async Task How_topics_are_made_and_how_many_may_connect_is_taken()
    {
        await using var broker = await TestBroker.StartAsync(new() { AutoCreateTopics = false });
        await using var client = await broker.ConnectAsync();
        Assert.Equal(KafkaError.UnknownTopicOrPartition, (await MetadataAsync(client, "new")).Error);
        await broker.Server.ReconfigureAsync(new() { AutoCreateTopics = true, DefaultPartitions = 3, MaxConnections = 1 }, Ct);
        await MetadataAsync(client, "new");
        Assert.Equal(3, broker.Store.Find("new")!.Partitions.Count);
        await using var second = await broker.ConnectAsync();
        await Assert.ThrowsAnyAsync<IOException>(() => MetadataAsync(second, "new"));
    }

    static async Task<(KafkaError Topic, KafkaError Acls)> AskAsync(RawClient client)
        => ((await MetadataAsync(client, "t")).Error, (KafkaError)(await client.CallAsync<DescribeAclsRequest, DescribeAclsResponse>(
            new() { ResourceTypeFilter = 1, PatternTypeFilter = 1, Operation = 1, PermissionType = 1 }, 3)).ErrorCode);

    static async Task<(KafkaError Error, int Partitions)> MetadataAsync(RawClient client, string topic)
    {
        var answer = await client.CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = [new() { Name = topic }], AllowAutoTopicCreation = true }, 9);
        return ((KafkaError)answer.Topics[0].ErrorCode, answer.Topics[0].Partitions.Count);
    }
}
