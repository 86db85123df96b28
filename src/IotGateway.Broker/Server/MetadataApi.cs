using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;
using IotGateway.Log;

namespace IotGateway.Broker.Server;

/// <summary>Tells brokers and topics; makes a topic that is asked for by name when both client and broker allow it.</summary>
internal sealed class MetadataApi(Broker broker) : Api<MetadataRequest, MetadataResponse>
{
    static readonly AccessRule DescribeTopic = AccessRule.Topic(AclOperation.Describe);
    static readonly AccessRule CreateOnCluster = AccessRule.Cluster(AclOperation.Create);
    static readonly AccessRule CreateTopic = AccessRule.Topic(AclOperation.Create);
    static readonly AccessRule DescribeCluster = AccessRule.Cluster(AclOperation.Describe);

    public override IReadOnlyList<AccessRule> Access => [DescribeTopic, CreateOnCluster, CreateTopic, DescribeCluster];

    protected override async ValueTask<MetadataResponse?> HandleAsync(MetadataRequest request, RequestContext context)
    {
        var id = broker.Options.NodeId;
        var response = new MetadataResponse
        {
            Brokers = [new() { NodeId = id, Host = context.Advertised.Host, Port = context.Advertised.Port }],
            ClusterId = broker.ClusterId,
            ControllerId = id,
        };
        if (request.IncludeClusterAuthorizedOperations) response.ClusterAuthorizedOperations = context.Allows(DescribeCluster) ? context.Operations(ResourceType.Cluster, Acl.Cluster) : 0;
        // Version 0 has no null: there the empty list asks for all.
        if (request.Topics is null || (context.Version == 0 && request.Topics.Count == 0))
            foreach (var topic in broker.Store.Topics.Where(t => context.Sees(DescribeTopic, t.Name)).OrderBy(t => t.Name, StringComparer.Ordinal))
                response.Topics.Add(Describe(topic, request, context));
        else
            foreach (var asked in request.Topics.DistinctBy(t => (t.Name, t.TopicId))) response.Topics.Add(await DescribeAsync(asked, request, context));
        return response;
    }

    async ValueTask<MetadataResponse.MetadataResponseTopic> DescribeAsync(MetadataRequest.MetadataRequestTopic asked, MetadataRequest request, RequestContext context)
    {
        if (asked.Name is not { } name)
        {
            // Ids are no secret, so that they exist may be told.
            if (broker.Store.Find(asked.TopicId) is { } byId)
                return context.Allows(DescribeTopic, byId.Name) ? Describe(byId, request, context) : Refuse(null, DescribeTopic, asked.TopicId, context);
            return new() { ErrorCode = (short)KafkaError.UnknownTopicId, Name = context.Version >= 12 ? null : "", TopicId = asked.TopicId };
        }
        if (!context.Allows(DescribeTopic, name)) return Refuse(name, DescribeTopic, Guid.Empty, context);
        if (broker.Store.Find(name) is { } found) return Describe(found, request, context);
        var error = TopicNames.Problem(name) is not null ? KafkaError.InvalidTopic : KafkaError.UnknownTopicOrPartition;
        if (error == KafkaError.UnknownTopicOrPartition && request.AllowAutoTopicCreation && broker.Options.AutoCreateTopics)
        {
            if (!context.Sees(CreateOnCluster, Acl.Cluster) && !context.Allows(CreateTopic, name)) return Refuse(name, CreateTopic, Guid.Empty, context);
            var made = await broker.Topics.EnsureAsync(name, context.ConnectionClosed);
            if (made.Topic is { } topic) return Describe(topic, request, context);
            error = made.Error;
        }
        return new() { ErrorCode = (short)error, Name = name };
    }

    static MetadataResponse.MetadataResponseTopic Refuse(string? name, AccessRule rule, Guid id, RequestContext context)
        => new() { ErrorCode = (short)rule.Error, Name = name ?? (context.Version >= 12 ? null : ""), TopicId = id };

    MetadataResponse.MetadataResponseTopic Describe(Topic topic, MetadataRequest request, RequestContext context)
    {
        List<int> replicas = [broker.Options.NodeId];
        return new()
        {
            Name = topic.Name,
            TopicId = topic.Id,
            TopicAuthorizedOperations = request.IncludeTopicAuthorizedOperations ? broker.Topics.OperationsOn(topic.Name, context) : int.MinValue,
            Partitions = [.. topic.Partitions.Select(p => new MetadataResponse.MetadataResponsePartition
            {
                PartitionIndex = p.Index,
                LeaderId = broker.Options.NodeId,
                LeaderEpoch = p.LeaderEpoch,
                ReplicaNodes = replicas,
                IsrNodes = replicas,
            })],
        };
    }
}
