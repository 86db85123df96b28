using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>Tells topics' partitions page by page (KIP-966): in order of names, from the cursor on, with a cursor to go on by.</summary>
internal sealed class DescribeTopicPartitionsApi(Broker broker) : Api<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>
{
    const int MostPartitions = 2000;
    static readonly AccessRule DescribeTopic = AccessRule.Topic(AclOperation.Describe);

    public override IReadOnlyList<AccessRule> Access => [DescribeTopic];

    protected override ValueTask<DescribeTopicPartitionsResponse?> HandleAsync(DescribeTopicPartitionsRequest request, RequestContext context)
    {
        var response = new DescribeTopicPartitionsResponse();
        var asked = request.Topics.Select(t => t.Name).Distinct().ToLookup(t => context.Allows(DescribeTopic, t));
        var names = (request.Topics.Count == 0 ? broker.Store.Topics.Select(t => t.Name).Where(t => context.Sees(DescribeTopic, t)) : asked[true]).Order(StringComparer.Ordinal);
        var left = Math.Clamp(request.ResponsePartitionLimit, 1, MostPartitions);
        foreach (var name in names)
        {
            var from = 0;
            if (request.Cursor is { } cursor)
            {
                var order = string.CompareOrdinal(name, cursor.TopicName);
                if (order < 0) continue;
                if (order == 0) from = Math.Max(0, cursor.PartitionIndex);
            }
            if (left == 0)
            {
                response.NextCursor = new() { TopicName = name, PartitionIndex = from };
                break;
            }
            left -= Describe(response, name, from, left, context);
            if (response.NextCursor is not null) break;
        }
        response.Topics.AddRange(asked[false].Select(t => new DescribeTopicPartitionsResponse.DescribeTopicPartitionsResponseTopic { Name = t, ErrorCode = (short)DescribeTopic.Error }));
        return new(response);
    }

    int Describe(DescribeTopicPartitionsResponse response, string name, int from, int most, RequestContext context)
    {
        var topic = broker.Store.Find(name);
        if (topic is null)
        {
            response.Topics.Add(new() { Name = name, TopicAuthorizedOperations = broker.Topics.OperationsOn(name, context), ErrorCode = (short)(TopicNames.Problem(name) is null ? KafkaError.UnknownTopicOrPartition : KafkaError.InvalidTopic) });
            return 0;
        }
        List<int> replicas = [broker.Options.NodeId];
        var page = topic.Partitions.Skip(from).Take(most).ToList();
        response.Topics.Add(new()
        {
            Name = name,
            TopicId = topic.Id,
            TopicAuthorizedOperations = broker.Topics.OperationsOn(name, context),
            Partitions = [.. page.Select(p => new DescribeTopicPartitionsResponse.DescribeTopicPartitionsResponsePartition
            {
                PartitionIndex = p.Index,
                LeaderId = broker.Options.NodeId,
                LeaderEpoch = p.LeaderEpoch,
                ReplicaNodes = replicas,
                IsrNodes = replicas,
                EligibleLeaderReplicas = [],
                LastKnownElr = [],
            })],
        });
        if (from + page.Count < topic.Partitions.Count) response.NextCursor = new() { TopicName = name, PartitionIndex = from + page.Count };
        return page.Count;
    }
}
