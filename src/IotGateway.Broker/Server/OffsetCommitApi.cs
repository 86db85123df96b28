using IotGateway.Broker.Groups;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>
/// Commits offsets of a group. Partitions that do not exist are refused here, the rest goes to the group; the answer has every
/// partition asked for, in the order asked.
/// </summary>
internal sealed class OffsetCommitApi(Broker broker) : Api<OffsetCommitRequest, OffsetCommitResponse>
{
    static readonly AccessRule ReadGroup = AccessRule.Group(AclOperation.Read);
    static readonly AccessRule ReadTopic = AccessRule.Topic(AclOperation.Read);

    public override IReadOnlyList<AccessRule> Access => [ReadGroup, ReadTopic];

    protected override async ValueTask<OffsetCommitResponse?> HandleAsync(OffsetCommitRequest request, RequestContext context)
    {
        var response = new OffsetCommitResponse();
        var commits = new List<TopicItems<OffsetToCommit>>();
        var answers = new List<OffsetCommitResponse.OffsetCommitResponsePartition>();
        var member = context.Allows(ReadGroup, request.GroupId);
        foreach (var asked in request.Topics)
        {
            var topic = context.Version >= 10 ? broker.Store.Find(asked.TopicId) : broker.Store.Find(asked.Name);
            var result = new OffsetCommitResponse.OffsetCommitResponseTopic { Name = asked.Name, TopicId = asked.TopicId };
            response.Topics.Add(result);
            var allowed = member && (topic is null && context.Version >= 10 || context.Allows(ReadTopic, topic?.Name ?? asked.Name));
            var known = new List<OffsetToCommit>();
            foreach (var p in asked.Partitions)
            {
                var answer = new OffsetCommitResponse.OffsetCommitResponsePartition { PartitionIndex = p.PartitionIndex };
                result.Partitions.Add(answer);
                if (!member) answer.ErrorCode = (short)ReadGroup.Error;
                else if (!allowed) answer.ErrorCode = (short)ReadTopic.Error;
                else if (topic is null) answer.ErrorCode = (short)(context.Version >= 10 ? KafkaError.UnknownTopicId : KafkaError.UnknownTopicOrPartition);
                else if (p.PartitionIndex < 0 || p.PartitionIndex >= topic.Partitions.Count) answer.ErrorCode = (short)KafkaError.UnknownTopicOrPartition;
                else
                {
                    known.Add(new(p.PartitionIndex, p.CommittedOffset, p.CommittedLeaderEpoch, p.CommittedMetadata));
                    answers.Add(answer);
                }
            }
            if (known.Count > 0) commits.Add(new(topic!.Name, known));
        }
        if (!member) return response;
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
