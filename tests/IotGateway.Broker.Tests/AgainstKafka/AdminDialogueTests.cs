using System.Runtime.CompilerServices;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Tests.Server;
using IotGateway.Testing;

namespace IotGateway.Broker.Tests.AgainstKafka;

/// <summary>What administrators ask: settings, the cluster, features, users, ACLs.</summary>
public sealed class AdminDialogueTests(KafkaNode kafka) : IClassFixture<KafkaNode>
{
    const sbyte Topic = 2, Broker = 4, Group = 32; // ConfigResource.Type

    [Fact]
    public async Task Settings_of_topics_are_told_and_changed_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = Dialogue.Between(broker, kafka);
        d.Deviates(ApiKey.DescribeConfigs, @"\.Configs\[iotgateway\.", "settings of our own");
        d.Deviates(ApiKey.DescribeConfigs, @"\.Configs\[(message\.timestamp\.after\.max\.ms|segment\.bytes)\]\.(Value|Synonyms)", "defaults of our own: devices' clocks are wrong, disks are small");
        d.Deviates(ApiKey.DescribeConfigs, @"\.Configs\[(retention\.ms|min\.insync\.replicas)\]\.(Value|ConfigSource|Synonyms|IsDefault)", "settings of that cluster");
        d.Deviates(ApiKey.DescribeConfigs, @"\.Documentation = ", "texts");
        d.Deviates(ApiKey.DescribeConfigs, @"\.Synonyms\[(log\.|retention\.bytes\]\.(Name|Source = 5|Value = ""-1"")|segment\.ms\]\.(Name|Source = 5|Value = ""604800000""))", "defaults are named as the topic's settings: a broker of ours has none for them");
        await d.AskAsync<CreateTopicsRequest, CreateTopicsResponse>(_ => new() { TimeoutMs = 5000, Topics = [new() { Name = "c", NumPartitions = 1, ReplicationFactor = 1, Configs = [new() { Name = "retention.bytes", Value = "1000000" }] }] }, 4);
        await d.SettleAsync("c", 1);
        await AlterAsync(("retention.ms", "1000", 0));
        await AlterAsync(("cleanup.policy", "compact", 0));
        await AlterAsync(("cleanup.policy", "delete", 2));
        await AlterAsync(("cleanup.policy", "delete", 2));
        await AlterAsync(("cleanup.policy", "compact", 3));
        await AlterAsync(("cleanup.policy", "shred", 2));
        await AlterAsync(("retention.ms", "7", 2));
        await AlterAsync(("retention.ms", "-2", 0));
        await AlterAsync(("retention.ms", "", 0));
        await AlterAsync(("retention.ms", null, 0));
        await AlterAsync(("no.such.setting", "1", 0));
        await AlterAsync(("no.such.setting", null, 1));
        await AlterAsync(("segment.ms", "60000", 0), ("retention.bytes", null, 1));
        await AlterAsync(("segment.ms", "60000", 0), ("segment.ms", "70000", 0));
        await AlterAsync(("max.message.bytes", "-1", 0));
        await AlterAsync(("compression.type", "zstd", 0), ("compression.zstd.level", "99", 0));
        await AlterAsync(("segment.bytes", "13", 0));
        await AlterAsync(("min.compaction.lag.ms", "10", 0), ("max.compaction.lag.ms", "5", 0));
        await AlterAsync(("message.timestamp.type", "Yesterday", 0));
        await AlterAsync(("unclean.leader.election.enable", "perhaps", 0));
        await d.AskAllAsync<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>((_, _) => new() { Resources = [new() { ResourceType = Topic, ResourceName = "nowhere", Configs = [new() { Name = "retention.ms", Value = "5" }] }] });
        await d.AskAllAsync<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>((_, _) => new() { Resources = [new() { ResourceType = 99, ResourceName = "c", Configs = [] }] });
        await d.AskAllAsync<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>((_, _) => new() { Resources = [new() { ResourceType = Broker, ResourceName = "8", Configs = [new() { Name = "log.retention.ms", Value = "5" }] }] });
        await d.AskAllAsync<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>((_, _) => new() { ValidateOnly = true, Resources = [new() { ResourceType = Topic, ResourceName = "c", Configs = [new() { Name = "retention.ms", Value = "123456" }] }] });
        await d.SettleAsync("c", "segment.ms", "60000");
        await d.AskAllAsync<DescribeConfigsRequest, DescribeConfigsResponse>((_, _) => new() { Resources = [new() { ResourceType = Topic, ResourceName = "c", ConfigurationKeys = null }] }, byName: true);
        await d.AskAllAsync<DescribeConfigsRequest, DescribeConfigsResponse>((_, _) => new() { IncludeSynonyms = true, Resources = [new() { ResourceType = Topic, ResourceName = "c", ConfigurationKeys = ["retention.ms", "retention.bytes", "segment.ms", "no.such.setting"] }] }, byName: true);
        await d.AskAllAsync<DescribeConfigsRequest, DescribeConfigsResponse>((_, _) => new() { Resources = [new() { ResourceType = Topic, ResourceName = "c", ConfigurationKeys = [] }] }, byName: true);
        await d.AskAllAsync<DescribeConfigsRequest, DescribeConfigsResponse>((_, _) => new() { Resources = [new() { ResourceType = Topic, ResourceName = "nowhere", ConfigurationKeys = null }] });
        await d.AskAllAsync<DescribeConfigsRequest, DescribeConfigsResponse>((_, _) => new() { Resources = [new() { ResourceType = Topic, ResourceName = "white space", ConfigurationKeys = null }] });
        await d.AskAllAsync<DescribeConfigsRequest, DescribeConfigsResponse>((_, _) => new() { Resources = [new() { ResourceType = Broker, ResourceName = "7", ConfigurationKeys = null }] });
        await d.AskAllAsync<DescribeConfigsRequest, DescribeConfigsResponse>((_, _) => new() { Resources = [new() { ResourceType = Broker, ResourceName = "one", ConfigurationKeys = null }] });
        await d.AskAllAsync<DescribeConfigsRequest, DescribeConfigsResponse>((_, _) => new() { Resources = [new() { ResourceType = 99, ResourceName = "c", ConfigurationKeys = null }] });
        await d.AskAllAsync<DescribeConfigsRequest, DescribeConfigsResponse>((_, _) => new() { Resources = [new() { ResourceType = Group, ResourceName = "g", ConfigurationKeys = ["consumer.session.timeout.ms", "consumer.heartbeat.interval.ms"] }] }, byName: true);
        await d.AskAllAsync<AlterConfigsRequest, AlterConfigsResponse>((_, _) => new() { Resources = [new() { ResourceType = Topic, ResourceName = "c", Configs = [new() { Name = "retention.ms", Value = "77777" }] }] });
        await d.AskAllAsync<AlterConfigsRequest, AlterConfigsResponse>((_, _) => new() { Resources = [new() { ResourceType = Topic, ResourceName = "c", Configs = [new() { Name = "retention.ms", Value = "soon" }] }] });
        await d.AskAllAsync<AlterConfigsRequest, AlterConfigsResponse>((_, _) => new() { Resources = [new() { ResourceType = Topic, ResourceName = "nowhere", Configs = [] }] });
        await d.SettleAsync("c", "retention.ms", "77777");
        await d.AskAllAsync<DescribeConfigsRequest, DescribeConfigsResponse>((_, _) => new() { Resources = [new() { ResourceType = Topic, ResourceName = "c", ConfigurationKeys = ["retention.bytes", "segment.ms", "cleanup.policy"] }] }, byName: true);
        await d.AskAllAsync<ListConfigResourcesRequest, ListConfigResourcesResponse>((_, _) => new() { ResourceTypes = [] }, byName: true);
        await d.AskAsync<ListConfigResourcesRequest, ListConfigResourcesResponse>(_ => new() { ResourceTypes = [99] }, 1);
        d.Judge();

        async Task AlterAsync((string Name, string? Value, sbyte How) first, (string Name, string? Value, sbyte How)? second = null, [CallerLineNumber] int line = 0)
        {
            foreach (var version in new short[] { 0, 1 })
                await d.AskAsync<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(_ => new()
                {
                    Resources = [new() { ResourceType = Topic, ResourceName = "c", Configs = [.. new[] { first, second }.Where(s => s is not null).Select(s => new IncrementalAlterConfigsRequest.AlterableConfig { Name = s!.Value.Name, Value = s.Value.Value, ConfigOperation = s.Value.How })] }],
                }, version, line: line);
        }
    }

    [Fact]
    public async Task The_cluster_and_what_it_can_are_told_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = Dialogue.Between(broker, kafka);
        d.Deviates(ApiKey.DescribeCluster, @"ControllerId|ClusterAuthorizedOperations", "Kafka's controllers are not told; any broker is named");
        await d.AskAllAsync<DescribeClusterRequest, DescribeClusterResponse>((_, _) => new() { IncludeClusterAuthorizedOperations = true, EndpointType = 1 });
        await d.AskAsync<DescribeClusterRequest, DescribeClusterResponse>(_ => new() { EndpointType = 9 }, 1);
        await d.AskAllAsync<DescribeClientQuotasRequest, DescribeClientQuotasResponse>((_, _) => new() { Components = [], Strict = false });
        await d.AskAllAsync<DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse>((_, _) => new() { Users = null });
        await d.AskAllAsync<DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse>((_, _) => new() { Users = [new() { Name = "nobody" }] });
        await d.AskAllAsync<DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse>((_, _) => new() { Users = [new() { Name = "nobody" }, new() { Name = "nobody" }] });
        await d.AskAllAsync<ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse>((_, _) => new() { Topics = null });
        await d.AskAllAsync<DescribeAclsRequest, DescribeAclsResponse>((_, _) => new() { ResourceTypeFilter = 1, PatternTypeFilter = 1, Operation = 1, PermissionType = 1 });
        await d.AskAllAsync<SaslHandshakeRequest, SaslHandshakeResponse>((_, _) => new() { Mechanism = "PLAIN" });
        await d.AskAsync<ApiVersionsRequest, ApiVersionsResponse>(_ => new() { ClientSoftwareName = "", ClientSoftwareVersion = "1" }, 3);
        await d.AskAsync<ApiVersionsRequest, ApiVersionsResponse>(_ => new() { ClientSoftwareName = "a b", ClientSoftwareVersion = "1" }, 3);
        d.Judge();
    }
}
