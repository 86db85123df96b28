using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Tests.Server.Access;

/// <content>Administrators and their tools.</content>
static partial class AccessCases
{
    const sbyte TopicConfig = 2, BrokerConfig = 4, GroupConfig = 32;

    static AccessCase[] Admins =>
    [
        Case<CreateTopicsRequest, CreateTopicsResponse>("a topic", NoTopic + " 0", 7, w => new() { Topics = [new() { Name = "new", NumPartitions = 1, ReplicationFactor = 1 }], ValidateOnly = true },
            r => $"{r.Topics[0].ErrorCode} {r.Topics[0].TopicConfigErrorCode}",
            [Topic(AclOperation.Create, "new"), Topic(AclOperation.DescribeConfigs, "new")], [Cluster(AclOperation.Create), Topic(AclOperation.DescribeConfigs, "new")]),
        Case<DeleteTopicsRequest, DeleteTopicsResponse>("by name", NoTopic, 5, w => new() { TopicNames = ["t"] }, r => r.Responses[0].ErrorCode, [Topic(AclOperation.Delete)], [Cluster(AclOperation.Delete)]),
        Case<DeleteTopicsRequest, DeleteTopicsResponse>("a name's secret", "hidden", 6, w => new() { Topics = [new() { Name = null, TopicId = w.TopicId }] }, r => r.Responses[0].Name ?? "hidden", [Topic(AclOperation.Describe)]),
        Case<DeleteRecordsRequest, DeleteRecordsResponse>("records", NoTopic, 2, w => new() { Topics = [new() { Name = "t", Partitions = [new() { Offset = 0 }] }] }, r => r.Topics[0].Partitions[0].ErrorCode, [Topic(AclOperation.Delete)]),
        Case<CreatePartitionsRequest, CreatePartitionsResponse>("partitions", NoTopic, 3, w => new() { Topics = [new() { Name = "t", Count = 2 }], ValidateOnly = true }, r => r.Results[0].ErrorCode, [Topic(AclOperation.Alter)]),
        Case<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>("a topic", NoTopic, 0, w => new() { Topics = [new() { Name = "t" }] }, r => r.Topics[0].ErrorCode, [Topic(AclOperation.Describe)]),
        Case<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>("all topics", "", 0, w => new(), r => string.Join(',', r.Topics.Select(t => t.Name)), [Topic(AclOperation.Describe)]),
        Case<DescribeGroupsRequest, DescribeGroupsResponse>("a group", NoGroup, 5, w => new() { Groups = ["g"] }, r => r.Groups[0].ErrorCode, [Group(AclOperation.Describe)]),
        Case<ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse>("a group", NoGroup, 1, w => new() { GroupIds = ["c"] }, r => r.Groups[0].ErrorCode, [Group(AclOperation.Describe, "c"), Topic(AclOperation.Describe)]),
        Case<ListGroupsRequest, ListGroupsResponse>("classic groups", "", 5, w => new() { TypesFilter = ["classic"] }, r => string.Join(',', r.Groups.Select(g => g.GroupId)), [Cluster(AclOperation.Describe)], [Group(AclOperation.Describe)]),
        Case<DeleteGroupsRequest, DeleteGroupsResponse>("a group", NoGroup, 2, w => new() { GroupsNames = ["none"] }, r => r.Results[0].ErrorCode, [Group(AclOperation.Delete, "none")]),
        Case<OffsetDeleteRequest, OffsetDeleteResponse>("an offset", NoGroup, 0, w => new() { GroupId = "g", Topics = [new() { Name = "t", Partitions = [new()] }] },
            r => r.ErrorCode != 0 ? r.ErrorCode : r.Topics[0].Partitions[0].ErrorCode, [Group(AclOperation.Delete), Topic(AclOperation.Read)]),
        Case<DescribeProducersRequest, DescribeProducersResponse>("a partition", NoTopic, 0, w => new() { Topics = [new() { Name = "t", PartitionIndexes = [0] }] }, r => r.Topics[0].Partitions[0].ErrorCode, [Topic(AclOperation.Read)]),
        Case<DescribeTransactionsRequest, DescribeTransactionsResponse>("an id", NoId + " ", 0, w => new() { TransactionalIds = ["x"] },
            r => $"{r.TransactionStates[0].ErrorCode} {string.Join(',', r.TransactionStates[0].Topics.Select(t => t.Topic))}", [Id(AclOperation.Describe), Topic(AclOperation.Describe)]),
        Case<ListTransactionsRequest, ListTransactionsResponse>("all", "", 1, w => new(), r => string.Join(',', r.TransactionStates.Select(t => t.TransactionalId)), [Id(AclOperation.Describe)]),
        Case<WriteTxnMarkersRequest, WriteTxnMarkersResponse>("a marker", NoCluster, 1, w => new() { Markers = [new() { ProducerId = w.ProducerId, ProducerEpoch = w.Epoch, Topics = [new() { Name = "none", PartitionIndexes = [0] }] }] },
            r => r.Markers[0].Topics[0].Partitions[0].ErrorCode, [Cluster(AclOperation.Alter)], [Cluster(AclOperation.ClusterAction)]),
        Case<DescribeAclsRequest, DescribeAclsResponse>("all", NoCluster, 3, w => new() { ResourceTypeFilter = 1, ResourceNameFilter = null, PatternTypeFilter = 1, PrincipalFilter = null, HostFilter = null, Operation = 1, PermissionType = 1 },
            r => r.ErrorCode, [Cluster(AclOperation.Describe)]),
        Case<CreateAclsRequest, CreateAclsResponse>("one", NoCluster, 3, w => new() { Creations = [new() { ResourceType = 2, ResourceName = "u", Principal = "User:u", Host = "*", Operation = 3, PermissionType = 3 }] },
            r => r.Results[0].ErrorCode, [Cluster(AclOperation.Alter)]),
        Case<DeleteAclsRequest, DeleteAclsResponse>("none", NoCluster, 3, w => new() { Filters = [new() { ResourceTypeFilter = 2, ResourceNameFilter = "u", PrincipalFilter = null, HostFilter = null, Operation = 1, PermissionType = 1 }] },
            r => r.FilterResults[0].ErrorCode, [Cluster(AclOperation.Alter)]),
        Case<DescribeConfigsRequest, DescribeConfigsResponse>("a topic", NoTopic, 4, w => new() { Resources = [new() { ResourceType = TopicConfig, ResourceName = "t" }] }, r => r.Results[0].ErrorCode, [Topic(AclOperation.DescribeConfigs)]),
        Case<DescribeConfigsRequest, DescribeConfigsResponse>("the broker", NoCluster, 4, w => new() { Resources = [new() { ResourceType = BrokerConfig, ResourceName = "1" }] }, r => r.Results[0].ErrorCode, [Cluster(AclOperation.DescribeConfigs)]),
        Case<DescribeConfigsRequest, DescribeConfigsResponse>("a group", NoGroup, 4, w => new() { Resources = [new() { ResourceType = GroupConfig, ResourceName = "g" }] }, r => r.Results[0].ErrorCode, [Group(AclOperation.DescribeConfigs)]),
        Case<AlterConfigsRequest, AlterConfigsResponse>("a topic", NoTopic, 2, w => new() { Resources = [new() { ResourceType = TopicConfig, ResourceName = "t" }] }, r => r.Responses[0].ErrorCode, [Topic(AclOperation.AlterConfigs)]),
        Case<AlterConfigsRequest, AlterConfigsResponse>("the broker", NoCluster, 2, w => new() { Resources = [new() { ResourceType = BrokerConfig, ResourceName = "1" }] }, r => r.Responses[0].ErrorCode, [Cluster(AclOperation.AlterConfigs)]),
        Case<AlterConfigsRequest, AlterConfigsResponse>("a group", NoGroup, 2, w => new() { Resources = [new() { ResourceType = GroupConfig, ResourceName = "g" }] }, r => r.Responses[0].ErrorCode, [Group(AclOperation.AlterConfigs)]),
        Case<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>("a topic", NoTopic, 1, w => new() { Resources = [new() { ResourceType = TopicConfig, ResourceName = "t" }] }, r => r.Responses[0].ErrorCode, [Topic(AclOperation.AlterConfigs)]),
        Case<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>("the broker", NoCluster, 1, w => new() { Resources = [new() { ResourceType = BrokerConfig, ResourceName = "1" }] }, r => r.Responses[0].ErrorCode, [Cluster(AclOperation.AlterConfigs)]),
        Case<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>("a group", NoGroup, 1, w => new() { Resources = [new() { ResourceType = GroupConfig, ResourceName = "g" }] }, r => r.Responses[0].ErrorCode, [Group(AclOperation.AlterConfigs)]),
        Case<ListConfigResourcesRequest, ListConfigResourcesResponse>("topics", NoCluster, 1, w => new() { ResourceTypes = [TopicConfig] }, r => r.ErrorCode, [Cluster(AclOperation.DescribeConfigs)]),
        Case<DescribeLogDirsRequest, DescribeLogDirsResponse>("all", NoCluster, 4, w => new() { Topics = null }, r => r.ErrorCode, [Cluster(AclOperation.Describe)]),
        Case<DescribeClusterRequest, DescribeClusterResponse>("operations", "nothing", 1, w => new() { IncludeClusterAuthorizedOperations = true }, r => r.ClusterAuthorizedOperations == 0 ? "nothing" : "some", [Cluster(AclOperation.Describe)]),
        Case<DescribeQuorumRequest, DescribeQuorumResponse>("the metadata", NoCluster, 1, w => new() { Topics = [new() { TopicName = "__cluster_metadata", Partitions = [new()] }] }, r => r.ErrorCode, [Cluster(AclOperation.Describe)]),
        Case<ElectLeadersRequest, ElectLeadersResponse>("a partition", NoCluster + " " + NoCluster, 2, w => new() { TopicPartitions = [new() { Topic = "t", Partitions = [0] }] },
            r => $"{r.ErrorCode} {r.ReplicaElectionResults[0].PartitionResult[0].ErrorCode}", [Cluster(AclOperation.Alter)]),
        Case<ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse>("all", NoCluster, 0, w => new() { Topics = null }, r => r.ErrorCode, [Cluster(AclOperation.Describe)]),
        Case<DescribeClientQuotasRequest, DescribeClientQuotasResponse>("all", NoCluster, 1, w => new(), r => r.ErrorCode, [Cluster(AclOperation.DescribeConfigs)]),
        Case<AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse>("one", NoCluster, 0, w => new() { Deletions = [new() { Name = "u", Mechanism = 1 }] }, r => r.Results[0].ErrorCode, [Cluster(AclOperation.Alter)]),
        Case<DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse>("all", NoCluster, 0, w => new() { Users = null }, r => r.ErrorCode, [Cluster(AclOperation.Describe)]),
    ];
}
