using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>Elections are never needed with one replica; asked for all partitions, Kafka leaves those that need none out.</summary>
internal sealed class ElectLeadersApi(Broker broker) : Api<ElectLeadersRequest, ElectLeadersResponse>
{
    static readonly AccessRule Alter = AccessRule.Cluster(AclOperation.Alter);

    public override IReadOnlyList<AccessRule> Access => [Alter];

    protected override ValueTask<ElectLeadersResponse?> HandleAsync(ElectLeadersRequest request, RequestContext context)
    {
        var allowed = context.Allows(Alter);
        return new(new ElectLeadersResponse
        {
            ErrorCode = (short)(allowed ? KafkaError.None : Alter.Error),
            ReplicaElectionResults = [.. (request.TopicPartitions ?? []).Select(t => new ElectLeadersResponse.ReplicaElectionResult
            {
                Topic = t.Topic,
                PartitionResult = [.. t.Partitions.Select(p => allowed ? Answer(t.Topic, p) : new() { PartitionId = p, ErrorCode = (short)Alter.Error, ErrorMessage = AclErrors.NotAllowed })],
            })],
        });
    }

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
