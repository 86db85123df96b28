using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Server;

/// <summary>Elections are never needed with one replica; asked for all partitions, Kafka leaves those that need none out.</summary>
internal sealed class ElectLeadersApi(Broker broker) : Api<ElectLeadersRequest, ElectLeadersResponse>
{
    protected override ValueTask<ElectLeadersResponse?> HandleAsync(ElectLeadersRequest request, RequestContext context) => new(new ElectLeadersResponse
    {
        ReplicaElectionResults = [.. (request.TopicPartitions ?? []).Select(t => new ElectLeadersResponse.ReplicaElectionResult
        {
            Topic = t.Topic,
            PartitionResult = [.. t.Partitions.Select(p => Answer(t.Topic, p))],
        })],
    });

    ElectLeadersResponse.PartitionResult Answer(string name, int index)
    {
        var exists = broker.Store.Find(name) is { } topic && index >= 0 && index < topic.Partitions.Count;
        return new()
        {
            PartitionId = index,
            ErrorCode = (short)(exists ? KafkaError.ElectionNotNeeded : KafkaError.UnknownTopicOrPartition),
            ErrorMessage = exists ? "There is one replica, and it leads." : $"There is no partition {name}-{index}.",
        };
    }
}
