using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Server;

/// <summary>Tells where epochs ended, so that a consumer notices offsets that were cut off (KIP-320).</summary>
internal sealed class OffsetForLeaderEpochApi(Broker broker) : Api<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>
{
    protected override ValueTask<OffsetForLeaderEpochResponse?> HandleAsync(OffsetForLeaderEpochRequest request, RequestContext context) => new(new OffsetForLeaderEpochResponse
    {
        Topics = [.. request.Topics.Select(topic => new OffsetForLeaderEpochResponse.OffsetForLeaderTopicResult
        {
            Topic = topic.Topic,
            Partitions = [.. topic.Partitions.Select(asked => Find(topic.Topic, asked))],
        })],
    });

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
