using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Server;

/// <summary>Tells topics' partitions page by page (KIP-966): in order of names, from the cursor on, with a cursor to go on by.</summary>
internal sealed class DescribeTopicPartitionsApi(Broker broker) : Api<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>
{
    const int MostPartitions = 2000;

    protected override ValueTask<DescribeTopicPartitionsResponse?> HandleAsync(DescribeTopicPartitionsRequest request, RequestContext context)
    {
        var response = new DescribeTopicPartitionsResponse();
        var names = (request.Topics.Count == 0 ? broker.Store.Topics.Select(t => t.Name) : request.Topics.Select(t => t.Name).Distinct()).Order(StringComparer.Ordinal);
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
            left -= Describe(response, name, from, left);
            if (response.NextCursor is not null) break;
        }
        return new(response);
    }

    int Describe(DescribeTopicPartitionsResponse response, string name, int from, int most)
    {
        var topic = broker.Store.Find(name);
        if (topic is null)
        {
            response.Topics.Add(new() { Name = name, ErrorCode = (short)(TopicNames.Problem(name) is null ? KafkaError.UnknownTopicOrPartition : KafkaError.InvalidTopic) });
            return 0;
        }
        List<int> replicas = [broker.Options.NodeId];
        var page = topic.Partitions.Skip(from).Take(most).ToList();
        response.Topics.Add(new()
        {
            Name = name,
            TopicId = topic.Id,
            TopicAuthorizedOperations = broker.Topics.OperationsOn(name),
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
