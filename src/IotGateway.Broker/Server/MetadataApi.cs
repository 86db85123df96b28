using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Log;

namespace IotGateway.Broker.Server;

/// <summary>Tells brokers and topics; makes a topic that is asked for by name when both client and broker allow it.</summary>
internal sealed class MetadataApi(Broker broker) : Api<MetadataRequest, MetadataResponse>
{
    protected override async ValueTask<MetadataResponse?> HandleAsync(MetadataRequest request, RequestContext context)
    {
        var id = broker.Options.NodeId;
        var response = new MetadataResponse
        {
            Brokers = [new() { NodeId = id, Host = context.Advertised.Host, Port = context.Advertised.Port }],
            ClusterId = broker.ClusterId,
            ControllerId = id,
        };
        if (request.IncludeClusterAuthorizedOperations) response.ClusterAuthorizedOperations = Operations.OnCluster;
        // Version 0 has no null: there the empty list asks for all.
        if (request.Topics is null || (context.Version == 0 && request.Topics.Count == 0))
            foreach (var topic in broker.Store.Topics.OrderBy(t => t.Name, StringComparer.Ordinal)) response.Topics.Add(Describe(topic, request));
        else
            foreach (var asked in request.Topics) response.Topics.Add(await DescribeAsync(asked, request, context));
        return response;
    }

    async ValueTask<MetadataResponse.MetadataResponseTopic> DescribeAsync(MetadataRequest.MetadataRequestTopic asked, MetadataRequest request, RequestContext context)
    {
        if (asked.Name is not { } name)
        {
            return broker.Store.Find(asked.TopicId) is { } byId ? Describe(byId, request)
                : new() { ErrorCode = (short)KafkaError.UnknownTopicId, Name = context.Version >= 12 ? null : "", TopicId = asked.TopicId };
        }
        if (broker.Store.Find(name) is { } found) return Describe(found, request);
        var error = TopicNames.Problem(name) is not null ? KafkaError.InvalidTopic : KafkaError.UnknownTopicOrPartition;
        if (error == KafkaError.UnknownTopicOrPartition && request.AllowAutoTopicCreation && broker.Options.AutoCreateTopics)
        {
            var made = await broker.Topics.EnsureAsync(name, context.ConnectionClosed);
            if (made.Topic is { } topic) return Describe(topic, request);
            error = made.Error;
        }
        return new() { ErrorCode = (short)error, Name = name };
    }

    MetadataResponse.MetadataResponseTopic Describe(Topic topic, MetadataRequest request)
    {
        List<int> replicas = [broker.Options.NodeId];
        return new()
        {
            Name = topic.Name,
            TopicId = topic.Id,
            TopicAuthorizedOperations = request.IncludeTopicAuthorizedOperations ? broker.Topics.OperationsOn(topic.Name) : int.MinValue,
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
