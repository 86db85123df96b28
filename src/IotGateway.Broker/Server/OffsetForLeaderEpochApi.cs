using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>Tells where epochs ended, so that a consumer notices offsets that were cut off (KIP-320).</summary>
internal sealed class OffsetForLeaderEpochApi(Broker broker) : Api<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>
{
    static readonly AccessRule Act = AccessRule.Cluster(AclOperation.ClusterAction);
    static readonly AccessRule Describe = AccessRule.Topic(AclOperation.Describe);

    public override IReadOnlyList<AccessRule> Access => [Act, Describe];

    protected override ValueTask<OffsetForLeaderEpochResponse?> HandleAsync(OffsetForLeaderEpochRequest request, RequestContext context)
    {
        var all = context.Sees(Act, Acl.Cluster);
        return new(new OffsetForLeaderEpochResponse
        {
            Topics = [.. request.Topics.Select(topic => Find(topic, all || context.Allows(Describe, topic.Topic)))],
        });
    }

    OffsetForLeaderEpochResponse.OffsetForLeaderTopicResult Find(OffsetForLeaderEpochRequest.OffsetForLeaderTopic topic, bool allowed) => new()
    {
        Topic = topic.Topic,
        Partitions = [.. topic.Partitions.Select(asked => allowed ? Find(topic.Topic, asked) : new() { Partition = asked.Partition, ErrorCode = (short)Describe.Error })],
    };

    OffsetForLeaderEpochResponse.EpochEndOffset Find(string name, OffsetForLeaderEpochRequest.OffsetForLeaderPartition asked)
    {
        var answer = new OffsetForLeaderEpochResponse.EpochEndOffset { Partition = asked.Partition };
        if (broker.Store.Find(name) is not { } topic || asked.Partition < 0 || asked.Partition >= topic.Partitions.Count)
        {
            answer.ErrorCode = (short)KafkaError.UnknownTopicOrPartition;
            return answer;
        }
        var partition = topic.Partitions[asked.Partition];
        answer.ErrorCode = (short)Errors.CheckEpoch(partition, asked.CurrentLeaderEpoch);
        if (answer.ErrorCode == 0 && partition.EndOfEpoch(asked.LeaderEpoch) is { } end) (answer.LeaderEpoch, answer.EndOffset) = (end.Epoch, end.EndOffset);
        return answer;
    }
}
