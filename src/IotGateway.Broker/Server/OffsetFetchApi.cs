using IotGateway.Broker.Groups;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>Tells committed offsets: of one group up to version 7, of many after; by topic id from version 10 on.</summary>
internal sealed class OffsetFetchApi(Broker broker) : Api<OffsetFetchRequest, OffsetFetchResponse>
{
    const int None = -1;
    static readonly AccessRule DescribeGroup = AccessRule.Group(AclOperation.Describe);
    static readonly AccessRule DescribeTopic = AccessRule.Topic(AclOperation.Describe);

    public override IReadOnlyList<AccessRule> Access => [DescribeGroup, DescribeTopic];

    // All offsets of a group are told once: with topics, of which no two lists are the same, the answer is no larger than the request.
    protected override ValueTask<OffsetFetchResponse?> HandleAsync(OffsetFetchRequest request, RequestContext context) => new(context.Version >= 8
        ? new() { Groups = [.. request.Groups.DistinctBy(g => (g.GroupId, g.Topics)).Select(g => FetchGroup(g, request.RequireStable, context))] }
        : FetchOne(request, context));

    OffsetFetchResponse FetchOne(OffsetFetchRequest request, RequestContext context)
    {
        var hidden = (request.Topics ?? []).Where(t => !context.Allows(DescribeTopic, t.Name)).ToList();
        var result = !context.Allows(DescribeGroup, request.GroupId) ? new(request.GroupId, (GroupError)DescribeGroup.Error, []) : broker.Groups.FetchOffsets(new()
        {
            GroupId = request.GroupId,
            Topics = request.Topics?.Except(hidden).Select(t => new TopicItems<int>(t.Name, t.PartitionIndexes)).ToList(),
            Unstable = request.RequireStable ? Unsettled(request.GroupId) : null,
        });
        var response = new OffsetFetchResponse { ErrorCode = (short)result.Error };
        // Version 1 has no error for the whole: it goes to every partition.
        if (context.Version < 2 && result.Error != GroupError.None)
        {
            response.Topics = [.. (request.Topics ?? []).Select(t => new OffsetFetchResponse.OffsetFetchResponseTopic
            {
                Name = t.Name,
                Partitions = Failed(t.PartitionIndexes, (KafkaError)result.Error),
            })];
            return response;
        }
        response.Topics = [.. result.Topics.Where(t => request.Topics is not null || context.Sees(DescribeTopic, t.Topic)).Select(t => new OffsetFetchResponse.OffsetFetchResponseTopic
        {
            Name = t.Topic,
            Partitions = [.. t.Partitions.Select(p => new OffsetFetchResponse.OffsetFetchResponsePartition
            {
                PartitionIndex = p.Partition,
                CommittedOffset = p.Offset,
                CommittedLeaderEpoch = p.LeaderEpoch,
                Metadata = p.Metadata,
                ErrorCode = (short)p.Error,
            })],
        })];
        if (result.Error == GroupError.None)
            response.Topics.AddRange(hidden.Select(t => new OffsetFetchResponse.OffsetFetchResponseTopic { Name = t.Name, Partitions = Failed(t.PartitionIndexes, DescribeTopic.Error) }));
        return response;
    }

    HashSet<(string Topic, int Partition)> Unsettled(string group) => broker.Groups.Pending.Of(group, id => broker.Store.Find(id) is not null);

    static List<OffsetFetchResponse.OffsetFetchResponsePartition> Failed(List<int> partitions, KafkaError error)
        => partitions.ConvertAll(p => new OffsetFetchResponse.OffsetFetchResponsePartition { PartitionIndex = p, CommittedOffset = None, ErrorCode = (short)error });

    OffsetFetchResponse.OffsetFetchResponseGroup FetchGroup(OffsetFetchRequest.OffsetFetchRequestGroup asked, bool requireStable, RequestContext context)
    {
        var byId = context.Version >= 10;
        var response = new OffsetFetchResponse.OffsetFetchResponseGroup { GroupId = asked.GroupId };
        if (!context.Allows(DescribeGroup, asked.GroupId))
        {
            response.ErrorCode = (short)DescribeGroup.Error;
            return response;
        }
        List<TopicItems<int>>? topics = null;
        List<OffsetFetchResponse.OffsetFetchResponseTopics> failed = [];
        if (asked.Topics is not null)
        {
            topics = [];
            foreach (var topic in asked.Topics)
            {
                var name = byId ? broker.Store.Find(topic.TopicId)?.Name : topic.Name;
                if (name is null) failed.Add(Failed(topic, KafkaError.UnknownTopicId));
                else if (!context.Allows(DescribeTopic, name)) failed.Add(Failed(topic, DescribeTopic.Error));
                else topics.Add(new(name, topic.PartitionIndexes));
            }
        }
        var result = broker.Groups.FetchOffsets(new()
        {
            GroupId = asked.GroupId,
            MemberId = asked.MemberId,
            MemberEpoch = asked.MemberEpoch,
            Topics = topics,
            Unstable = requireStable ? Unsettled(asked.GroupId) : null,
        });
        response.ErrorCode = (short)result.Error;
        foreach (var topic in result.Topics)
        {
            if (topics is null && !context.Sees(DescribeTopic, topic.Topic)) continue;
            var id = byId ? broker.Store.Find(topic.Topic)?.Id : Guid.Empty;
            if (id is { } known) response.Topics.Add(new() { Name = topic.Topic, TopicId = known, Partitions = [.. topic.Partitions.Select(Answer)] });
        }
        if (result.Error == GroupError.None) response.Topics.AddRange(failed);
        return response;
    }

    static OffsetFetchResponse.OffsetFetchResponseTopics Failed(OffsetFetchRequest.OffsetFetchRequestTopics topic, KafkaError error) => new()
    {
        Name = topic.Name,
        TopicId = topic.TopicId,
        Partitions = [.. topic.PartitionIndexes.Select(p => new OffsetFetchResponse.OffsetFetchResponsePartitions { PartitionIndex = p, CommittedOffset = None, ErrorCode = (short)error })],
    };

    static OffsetFetchResponse.OffsetFetchResponsePartitions Answer(FetchedOffset p) => new()
    {
        PartitionIndex = p.Partition,
        CommittedOffset = p.Offset,
        CommittedLeaderEpoch = p.LeaderEpoch,
        Metadata = p.Metadata,
        ErrorCode = (short)p.Error,
    };
}
