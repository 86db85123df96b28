using IotGateway.Broker.Groups;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Server;

/// <summary>Tells committed offsets: of one group up to version 7, of many after; by topic id from version 10 on.</summary>
internal sealed class OffsetFetchApi(Broker broker) : Api<OffsetFetchRequest, OffsetFetchResponse>
{
    const int None = -1;

    protected override ValueTask<OffsetFetchResponse?> HandleAsync(OffsetFetchRequest request, RequestContext context) => new(context.Version >= 8
        ? new() { Groups = [.. request.Groups.Select(g => FetchGroup(g, request.RequireStable, context.Version))] }
        : FetchOne(request, context.Version));

    OffsetFetchResponse FetchOne(OffsetFetchRequest request, short version)
    {
        var result = broker.Groups.FetchOffsets(new()
        {
            GroupId = request.GroupId,
            Topics = request.Topics?.Select(t => new TopicItems<int>(t.Name, t.PartitionIndexes)).ToList(),
            Unstable = request.RequireStable ? broker.Transactions.Pending.Of(request.GroupId) : null,
        });
        var response = new OffsetFetchResponse { ErrorCode = (short)result.Error };
        // Version 1 has no error for the whole: it goes to every partition.
        if (version < 2 && result.Error != GroupError.None)
        {
            response.Topics = [.. (request.Topics ?? []).Select(t => new OffsetFetchResponse.OffsetFetchResponseTopic
            {
                Name = t.Name,
                Partitions = [.. t.PartitionIndexes.Select(p => new OffsetFetchResponse.OffsetFetchResponsePartition { PartitionIndex = p, CommittedOffset = None, ErrorCode = (short)result.Error })],
            })];
            return response;
        }
        response.Topics = [.. result.Topics.Select(t => new OffsetFetchResponse.OffsetFetchResponseTopic
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
        return response;
    }

    OffsetFetchResponse.OffsetFetchResponseGroup FetchGroup(OffsetFetchRequest.OffsetFetchRequestGroup asked, bool requireStable, short version)
    {
        var byId = version >= 10;
        var response = new OffsetFetchResponse.OffsetFetchResponseGroup { GroupId = asked.GroupId };
        List<TopicItems<int>>? topics = null;
        if (asked.Topics is not null)
        {
            topics = [];
            foreach (var topic in asked.Topics)
            {
                var name = byId ? broker.Store.Find(topic.TopicId)?.Name : topic.Name;
                if (name is not null) topics.Add(new(name, topic.PartitionIndexes));
                else response.Topics.Add(Unknown(topic));
            }
        }
        var result = broker.Groups.FetchOffsets(new()
        {
            GroupId = asked.GroupId,
            MemberId = asked.MemberId,
            MemberEpoch = asked.MemberEpoch,
            Topics = topics,
            Unstable = requireStable ? broker.Transactions.Pending.Of(asked.GroupId) : null,
        });
        response.ErrorCode = (short)result.Error;
        if (result.Error != GroupError.None) response.Topics.Clear();
        foreach (var topic in result.Topics)
        {
            var id = byId ? broker.Store.Find(topic.Topic)?.Id : Guid.Empty;
            if (id is { } known) response.Topics.Add(new() { Name = topic.Topic, TopicId = known, Partitions = [.. topic.Partitions.Select(Answer)] });
        }
        return response;
    }

    static OffsetFetchResponse.OffsetFetchResponseTopics Unknown(OffsetFetchRequest.OffsetFetchRequestTopics topic) => new()
    {
        TopicId = topic.TopicId,
        Partitions = [.. topic.PartitionIndexes.Select(p => new OffsetFetchResponse.OffsetFetchResponsePartitions { PartitionIndex = p, CommittedOffset = None, ErrorCode = (short)KafkaError.UnknownTopicId })],
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
