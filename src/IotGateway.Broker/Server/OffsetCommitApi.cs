using IotGateway.Broker.Groups;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>
/// Commits offsets of a group. Partitions that do not exist are refused here, the rest goes to the group; the answer has every
/// partition asked for, a topic's all together, those refused here first.
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
        var answers = new List<(OffsetCommitResponse.OffsetCommitResponseTopic Topic, OffsetCommitResponse.OffsetCommitResponsePartition Partition)>();
        var told = new Dictionary<(string Name, Guid Id), OffsetCommitResponse.OffsetCommitResponseTopic>();
        var member = context.Allows(ReadGroup, request.GroupId);
        var added = new HashSet<OffsetCommitResponse.OffsetCommitResponseTopic>();
        foreach (var asked in request.Topics)
        {
            var topic = context.Version >= 10 ? broker.Store.Find(asked.TopicId) : broker.Store.Find(asked.Name);
            if (!told.TryGetValue((asked.Name, asked.TopicId), out var result)) told.Add((asked.Name, asked.TopicId), result = new() { Name = asked.Name, TopicId = asked.TopicId });
            var allowed = member && (topic is null && context.Version >= 10 || context.Allows(ReadTopic, topic?.Name ?? asked.Name));
            var known = new List<OffsetToCommit>();
            foreach (var p in asked.Partitions)
            {
                var answer = new OffsetCommitResponse.OffsetCommitResponsePartition { PartitionIndex = p.PartitionIndex };
                if (!member) answer.ErrorCode = (short)ReadGroup.Error;
                else if (!allowed) answer.ErrorCode = (short)ReadTopic.Error;
                else if (topic is null) answer.ErrorCode = (short)(context.Version >= 10 ? KafkaError.UnknownTopicId : KafkaError.UnknownTopicOrPartition);
                else if (p.PartitionIndex < 0 || p.PartitionIndex >= topic.Partitions.Count) answer.ErrorCode = (short)KafkaError.UnknownTopicOrPartition;
                else
                {
                    known.Add(new(p.PartitionIndex, p.CommittedOffset, p.CommittedLeaderEpoch, p.CommittedMetadata));
                    answers.Add((result, answer));
                }
                if (answer.ErrorCode != 0) result.Partitions.Add(answer);
            }
            if ((result.Partitions.Count > 0 || !allowed || topic is null) && added.Add(result)) response.Topics.Add(result);
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
        var overruled = await TransactionErrors.Of(broker.Transactions.OverruleAsync(request.GroupId,
            committed.Topics.SelectMany(t => t.Partitions.Where(p => p.Error == GroupError.None).Select(p => (t.Topic, p.Partition)))));
        if (overruled != KafkaError.None) committed = new((GroupError)overruled, []);
        // There is no error for the whole in this answer: it goes to every partition.
        var errors = committed.Topics.SelectMany(t => t.Partitions).Select(p => p.Error).ToList();
        foreach (var (i, (topic, partition)) in answers.Index())
        {
            partition.ErrorCode = (short)(i < errors.Count ? errors[i] : committed.Error);
            topic.Partitions.Add(partition);
            if (added.Add(topic)) response.Topics.Add(topic);
        }
        return response;
    }
}
