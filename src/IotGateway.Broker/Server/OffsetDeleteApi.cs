using IotGateway.Broker.Groups;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>Deletes a group's offsets of topics it no longer reads.</summary>
internal sealed class OffsetDeleteApi(Broker broker) : Api<OffsetDeleteRequest, OffsetDeleteResponse>
{
    static readonly AccessRule DeleteGroup = AccessRule.Group(AclOperation.Delete);
    static readonly AccessRule ReadTopic = AccessRule.Topic(AclOperation.Read);

    public override IReadOnlyList<AccessRule> Access => [DeleteGroup, ReadTopic];

    protected override async ValueTask<OffsetDeleteResponse?> HandleAsync(OffsetDeleteRequest request, RequestContext context)
    {
        if (!context.Allows(DeleteGroup, request.GroupId)) return new() { ErrorCode = (short)DeleteGroup.Error };
        var readable = request.Topics.Select(t => t.Name).Distinct().Where(t => context.Allows(ReadTopic, t)).ToHashSet();
        var counts = readable.ToDictionary(name => name, name => broker.Store.Find(name)?.Partitions.Count ?? 0);
        bool IsThere(string topic, int partition) => partition >= 0 && partition < counts.GetValueOrDefault(topic);
        var result = await broker.Groups.DeleteOffsetsAsync(new(request.GroupId,
            [.. request.Topics.Select(t => new TopicItems<int>(t.Name, [.. t.Partitions.Select(p => p.PartitionIndex).Where(p => IsThere(t.Name, p))]))]));
        if (result.Error != GroupError.None) return new() { ErrorCode = (short)result.Error };
        var dropped = await TransactionErrors.Of(broker.Transactions.DropOffsetsAsync(request.GroupId,
            result.Topics.SelectMany(t => t.Partitions.Where(p => p.Error == GroupError.None).Select(p => (t.Topic, p.Partition)))));
        if (dropped != KafkaError.None) return new() { ErrorCode = (short)dropped };
        // A topic's partitions all together, those refused here first.
        var refused = request.Topics.SelectMany(t => t.Partitions.Where(p => !IsThere(t.Name, p.PartitionIndex))
            .Select(p => (t.Name, p.PartitionIndex, Error: (short)(readable.Contains(t.Name) ? KafkaError.UnknownTopicOrPartition : ReadTopic.Error))));
        var answered = result.Topics.SelectMany(t => t.Partitions.Select(p => (Name: t.Topic, PartitionIndex: p.Partition, Error: (short)p.Error)));
        return new()
        {
            Topics = [.. refused.Concat(answered).GroupBy(p => p.Name).Select(t => new OffsetDeleteResponse.OffsetDeleteResponseTopic
            {
                Name = t.Key,
                Partitions = [.. t.Select(p => new OffsetDeleteResponse.OffsetDeleteResponsePartition { PartitionIndex = p.PartitionIndex, ErrorCode = p.Error })],
            })],
        };
    }
}
