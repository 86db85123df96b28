using IotGateway.Broker.Groups;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Server;

/// <summary>
/// Commits offsets of a group. Partitions that do not exist are refused here, the rest goes to the group; the answer has every
/// partition asked for, in the order asked.
/// </summary>
internal sealed class OffsetCommitApi(Broker broker) : Api<OffsetCommitRequest, OffsetCommitResponse>
{
    protected override async ValueTask<OffsetCommitResponse?> HandleAsync(OffsetCommitRequest request, RequestContext context)
    {
        var response = new OffsetCommitResponse();
        var commits = new List<TopicItems<OffsetToCommit>>();
        var answers = new List<OffsetCommitResponse.OffsetCommitResponsePartition>();
        foreach (var asked in request.Topics)
        {
            var topic = context.Version >= 10 ? broker.Store.Find(asked.TopicId) : broker.Store.Find(asked.Name);
            var result = new OffsetCommitResponse.OffsetCommitResponseTopic { Name = asked.Name, TopicId = asked.TopicId };
            response.Topics.Add(result);
            var known = new List<OffsetToCommit>();
            foreach (var p in asked.Partitions)
            {
                var answer = new OffsetCommitResponse.OffsetCommitResponsePartition { PartitionIndex = p.PartitionIndex };
                result.Partitions.Add(answer);
                if (topic is null) answer.ErrorCode = (short)(context.Version >= 10 ? KafkaError.UnknownTopicId : KafkaError.UnknownTopicOrPartition);
                else if (p.PartitionIndex < 0 || p.PartitionIndex >= topic.Partitions.Count) answer.ErrorCode = (short)KafkaError.UnknownTopicOrPartition;
                else
                {
                    known.Add(new(p.PartitionIndex, p.CommittedOffset, p.CommittedLeaderEpoch, p.CommittedMetadata));
                    answers.Add(answer);
                }
            }
            if (known.Count > 0) commits.Add(new(topic!.Name, known));
        }
        var committed = await broker.Groups.CommitOffsetsAsync(new()
        {
            ApiVersion = context.Version,
            GroupId = request.GroupId,
            GenerationOrEpoch = request.GenerationIdOrMemberEpoch,
            MemberId = request.MemberId,
            InstanceId = request.GroupInstanceId,
            RetentionMs = request.RetentionTimeMs,
            Topics = commits,
        });
        // There is no error for the whole in this answer: it goes to every partition.
        var errors = committed.Topics.SelectMany(t => t.Partitions).Select(p => p.Error).ToList();
        for (var i = 0; i < answers.Count; i++) answers[i].ErrorCode = (short)(i < errors.Count ? errors[i] : committed.Error);
        return response;
    }
}
