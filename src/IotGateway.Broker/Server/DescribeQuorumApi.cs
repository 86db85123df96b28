using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>
/// Tells the quorum of the metadata: this one node, which leads. What Kafka keeps in <c>__cluster_metadata</c> is in the log's frames here, so their
/// numbers are its offsets and the starts its epochs. No controller listens apart from the broker, so no endpoints of one are told.
/// </summary>
internal sealed class DescribeQuorumApi(Broker broker) : Api<DescribeQuorumRequest, DescribeQuorumResponse>
{
    const string Metadata = "__cluster_metadata";
    static readonly AccessRule Describe = AccessRule.Cluster(AclOperation.Describe);

    public override IReadOnlyList<AccessRule> Access => [Describe];

    protected override ValueTask<DescribeQuorumResponse?> HandleAsync(DescribeQuorumRequest request, RequestContext context) => new(!context.Allows(Describe)
        ? new DescribeQuorumResponse { ErrorCode = (short)Describe.Error, ErrorMessage = AclErrors.NotAllowed }
        : new()
        {
            ErrorMessage = null,
            Topics = [.. request.Topics.Select(t => new DescribeQuorumResponse.TopicData { TopicName = t.TopicName, Partitions = [.. t.Partitions.Select(p => Answer(t.TopicName, p.PartitionIndex))] })],
            Nodes = [new() { NodeId = broker.Options.NodeId }],
        });

    DescribeQuorumResponse.PartitionData Answer(string topic, int index)
    {
        if (topic != Metadata || index != 0)
        {
            return new()
            {
                PartitionIndex = index, LeaderId = -1, LeaderEpoch = -1, HighWatermark = -1,
                ErrorCode = (short)KafkaError.UnknownTopicOrPartition, ErrorMessage = $"Only {Metadata}, partition 0, has a quorum.",
            };
        }
        var end = broker.Store.Figures.DurableSequence + 1;
        var now = broker.Time.GetUtcNow().ToUnixTimeMilliseconds();
        return new()
        {
            PartitionIndex = index,
            ErrorMessage = null,
            LeaderId = broker.Options.NodeId,
            LeaderEpoch = broker.Store.StartCount,
            HighWatermark = end,
            CurrentVoters = [new() { ReplicaId = broker.Options.NodeId, ReplicaDirectoryId = broker.Store.Id, LogEndOffset = end, LastFetchTimestamp = now, LastCaughtUpTimestamp = now }],
        };
    }
}
