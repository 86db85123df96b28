using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Tests.Server.Access;

/// <summary>What Apache Kafka 4.3.1 asks its authorizer about, request by request: producers and consumers.</summary>
static partial class AccessCases
{
    public const string NoTopic = "29", NoGroup = "30", NoCluster = "31", NoId = "53";

    public static IEnumerable<AccessCase> All => [.. Clients, .. Admins];

    static AccessCase[] Clients =>
    [
        Case<ProduceRequest, ProduceResponse>("plain records", NoTopic, 9, w => Requests.Produce("t", Batches.Of("two")),
            r => r.Responses[0].PartitionResponses[0].ErrorCode, [Topic(AclOperation.Write)]),
        Case<ProduceRequest, ProduceResponse>("in a transaction", NoId, 9, w => Transactional(w), r => r.Responses[0].PartitionResponses[0].ErrorCode, [Id(AclOperation.Write), Topic(AclOperation.Write)]),
        Case<ProduceRequest, ProduceResponse>("by a topic's id", NoTopic, 13, w => new()
        {
            Acks = -1, TopicData = [new() { TopicId = w.TopicId, PartitionData = [new() { Records = Batches.Of("two") }] }],
        }, r => r.Responses[0].PartitionResponses[0].ErrorCode, [Topic(AclOperation.Write)]),
        Case<ProduceRequest, ProduceResponse>("a topic that is not there", NoTopic, 9, w => Requests.Produce("none", Batches.Of("two")),
            r => r.Responses[0].PartitionResponses[0].ErrorCode, [Topic(AclOperation.Write, "none")]),
        Case<FetchRequest, FetchResponse>("by name", NoTopic, 12, w => Requests.Fetch("t", 0), r => r.Responses[0].Partitions[0].ErrorCode, [Topic(AclOperation.Read)]),
        Case<FetchRequest, FetchResponse>("by id", NoTopic, 13, w => new()
        {
            SessionEpoch = -1, MaxBytes = 1000, Topics = [new() { TopicId = w.TopicId, Partitions = [new() { PartitionMaxBytes = 1000 }] }],
        }, r => r.Responses[0].Partitions[0].ErrorCode, [Topic(AclOperation.Read)]),
        Case<ListOffsetsRequest, ListOffsetsResponse>("the end", NoTopic, 7, w => new() { Topics = [new() { Name = "t", Partitions = [new() { Timestamp = -1 }] }] },
            r => r.Topics[0].Partitions[0].ErrorCode, [Topic(AclOperation.Describe)]),
        Case<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>("an epoch", NoTopic, 4, w => new() { Topics = [new() { Topic = "t", Partitions = [new()] }] },
            r => r.Topics[0].Partitions[0].ErrorCode, [Topic(AclOperation.Describe)], [Cluster(AclOperation.ClusterAction)]),
        Case<MetadataRequest, MetadataResponse>("a topic", NoTopic, 9, w => new() { Topics = [new() { Name = "t" }] }, r => r.Topics[0].ErrorCode, [Topic(AclOperation.Describe)]),
        Case<MetadataRequest, MetadataResponse>("a topic by its id", NoTopic + " ", 12, w => new() { Topics = [new() { Name = null, TopicId = w.TopicId }] },
            r => $"{r.Topics[0].ErrorCode} {r.Topics[0].Name}", [Topic(AclOperation.Describe)]),
        Case<MetadataRequest, MetadataResponse>("a topic to be made", NoTopic, 9, w => new() { Topics = [new() { Name = "new" }], AllowAutoTopicCreation = true }, r => r.Topics[0].ErrorCode,
            [Topic(AclOperation.Describe, "new"), Topic(AclOperation.Create, "new")], [Topic(AclOperation.Describe, "new"), Cluster(AclOperation.Create)]),
        Case<MetadataRequest, MetadataResponse>("all topics", "", 9, w => new() { Topics = null }, r => string.Join(',', r.Topics.Select(t => t.Name)), [Topic(AclOperation.Describe)]),
        Case<MetadataRequest, MetadataResponse>("operations on the cluster", "nothing", 9, w => new() { Topics = [], IncludeClusterAuthorizedOperations = true },
            r => r.ClusterAuthorizedOperations == 0 ? "nothing" : "some", [Cluster(AclOperation.Describe)]),
        Case<FindCoordinatorRequest, FindCoordinatorResponse>("of a group", NoGroup, 4, w => new() { KeyType = 0, CoordinatorKeys = ["g"] }, r => r.Coordinators[0].ErrorCode, [Group(AclOperation.Describe)]),
        Case<FindCoordinatorRequest, FindCoordinatorResponse>("of a transactional id", NoId, 3, w => new() { KeyType = 1, Key = "x" }, r => r.ErrorCode, [Id(AclOperation.Describe)]),
        Case<JoinGroupRequest, JoinGroupResponse>("a new member", NoGroup, 5, w => new() { GroupId = "g", SessionTimeoutMs = 10_000, RebalanceTimeoutMs = 10_000, ProtocolType = "consumer", Protocols = [new() { Name = "range" }] },
            r => r.ErrorCode, [Group(AclOperation.Read)]),
        Case<SyncGroupRequest, SyncGroupResponse>("a stranger", NoGroup, 5, w => new() { GroupId = "g", MemberId = "m", ProtocolType = "consumer", ProtocolName = "range" }, r => r.ErrorCode, [Group(AclOperation.Read)]),
        Case<HeartbeatRequest, HeartbeatResponse>("a stranger", NoGroup, 4, w => new() { GroupId = "g", MemberId = "m" }, r => r.ErrorCode, [Group(AclOperation.Read)]),
        Case<LeaveGroupRequest, LeaveGroupResponse>("a stranger", NoGroup, 2, w => new() { GroupId = "g", MemberId = "m" }, r => r.ErrorCode, [Group(AclOperation.Read)]),
        Case<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse>("a new member", NoGroup, 1, w => new() { GroupId = "c", MemberId = "member-of-c", RebalanceTimeoutMs = 10_000, SubscribedTopicNames = ["t"], TopicPartitions = [] },
            r => r.ErrorCode, [Group(AclOperation.Read, "c"), Topic(AclOperation.Describe)]),
        Case<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse>("a regular expression", NoGroup + " 0", 1, w => new() { GroupId = w.Next("r"), MemberId = "member", RebalanceTimeoutMs = 10_000, SubscribedTopicRegex = "t", TopicPartitions = [] },
            r => $"{r.ErrorCode} {r.Assignment?.TopicPartitions.Count ?? 0}", [Group(AclOperation.Read, "*"), Topic(AclOperation.Describe)]),
        Case<OffsetCommitRequest, OffsetCommitResponse>("by name", NoGroup, 9, w => new() { GroupId = "g", Topics = [new() { Name = "t", Partitions = [new() { CommittedOffset = 1 }] }] },
            r => r.Topics[0].Partitions[0].ErrorCode, [Group(AclOperation.Read), Topic(AclOperation.Read)]),
        Case<OffsetCommitRequest, OffsetCommitResponse>("by id", NoGroup, 10, w => new() { GroupId = "g", Topics = [new() { TopicId = w.TopicId, Partitions = [new() { CommittedOffset = 1 }] }] },
            r => r.Topics[0].Partitions[0].ErrorCode, [Group(AclOperation.Read), Topic(AclOperation.Read)]),
        Case<OffsetFetchRequest, OffsetFetchResponse>("one partition", NoGroup, 7, w => new() { GroupId = "g", Topics = [new() { Name = "t", PartitionIndexes = [0] }] },
            r => r.ErrorCode != 0 ? r.ErrorCode : r.Topics[0].Partitions[0].ErrorCode, [Group(AclOperation.Describe), Topic(AclOperation.Describe)]),
        Case<OffsetFetchRequest, OffsetFetchResponse>("all of a group", NoGroup + " ", 9, w => new() { Groups = [new() { GroupId = "g", Topics = null }] },
            r => $"{r.Groups[0].ErrorCode} {string.Join(',', r.Groups[0].Topics.Select(t => t.Name))}", [Group(AclOperation.Describe), Topic(AclOperation.Describe)]),
        Case<OffsetFetchRequest, OffsetFetchResponse>("by id", NoGroup, 10, w => new() { Groups = [new() { GroupId = "g", Topics = [new() { TopicId = w.TopicId, PartitionIndexes = [0] }] }] },
            r => r.Groups[0].ErrorCode != 0 ? r.Groups[0].ErrorCode : r.Groups[0].Topics[0].Partitions[0].ErrorCode, [Group(AclOperation.Describe), Topic(AclOperation.Describe)]),
        Case<InitProducerIdRequest, InitProducerIdResponse>("an idempotent producer", NoCluster, 4, w => new() { TransactionalId = null }, r => r.ErrorCode,
            [Cluster(AclOperation.IdempotentWrite)], [Topic(AclOperation.Write, "any")]),
        Case<InitProducerIdRequest, InitProducerIdResponse>("a transactional producer", NoId, 4, w => new() { TransactionalId = "x", TransactionTimeoutMs = 60_000 }, r => r.ErrorCode, [Id(AclOperation.Write)]),
        Case<AddPartitionsToTxnRequest, AddPartitionsToTxnResponse>("a partition", NoId, 3, w => new()
        {
            V3AndBelowTransactionalId = "x", V3AndBelowProducerId = w.ProducerId, V3AndBelowProducerEpoch = w.Epoch, V3AndBelowTopics = [new() { Name = "t", Partitions = [0] }],
        }, r => r.ResultsByTopicV3AndBelow[0].ResultsByPartition[0].PartitionErrorCode, [Id(AclOperation.Write), Topic(AclOperation.Write)]),
        Case<AddOffsetsToTxnRequest, AddOffsetsToTxnResponse>("a group", NoId, 3, w => new() { TransactionalId = "x", ProducerId = w.ProducerId, ProducerEpoch = w.Epoch, GroupId = "g" },
            r => r.ErrorCode, [Id(AclOperation.Write), Group(AclOperation.Read)]),
        Case<TxnOffsetCommitRequest, TxnOffsetCommitResponse>("an offset", NoId, 3, w => new()
        {
            TransactionalId = "x", ProducerId = w.ProducerId, ProducerEpoch = w.Epoch, GroupId = "g", Topics = [new() { Name = "t", Partitions = [new() { CommittedOffset = 1 }] }],
        }, r => r.Topics[0].Partitions[0].ErrorCode, [Id(AclOperation.Write), Group(AclOperation.Read), Topic(AclOperation.Read)]),
        Case<EndTxnRequest, EndTxnResponse>("a commit", NoId, 3, w => new() { TransactionalId = "x", ProducerId = w.ProducerId, ProducerEpoch = w.Epoch, Committed = true }, r => r.ErrorCode, [Id(AclOperation.Write)]),
    ];

    static ProduceRequest Transactional(AccessWorld world)
    {
        var batch = Batches.Of(world.ProducerId, world.Epoch, 0, "two");
        Batches.MakeTransactional(batch);
        var request = Requests.Produce("t", batch);
        request.TransactionalId = "x";
        return request;
    }

    static AccessCase Case<TRequest, TResponse>(string what, string denied, short version, Func<AccessWorld, TRequest> request, Func<TResponse, object> result, params Grant[][] ways)
        where TRequest : IKafkaMessage<TRequest> where TResponse : IKafkaMessage<TResponse>
        => new(TRequest.Api, what, denied, async world => result(await world.Client.CallAsync<TRequest, TResponse>(request(world), version)).ToString()!, ways);

    static Grant Topic(AclOperation operation, string name = "t") => new(AccessRule.Topic(operation), name);

    static Grant Group(AclOperation operation, string name = "g") => new(AccessRule.Group(operation), name);

    static Grant Id(AclOperation operation) => new(AccessRule.TransactionalId(operation), "x");

    static Grant Cluster(AclOperation operation) => new(AccessRule.Cluster(operation), Acl.Cluster);
}
