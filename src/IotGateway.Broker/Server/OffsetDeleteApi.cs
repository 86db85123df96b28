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
        var result = await broker.Groups.DeleteOffsetsAsync(new(request.GroupId,
            [.. request.Topics.Where(t => readable.Contains(t.Name)).Select(t => new TopicItems<int>(t.Name, [.. t.Partitions.Select(p => p.PartitionIndex)]))]));
        return new()
        {
            ErrorCode = (short)result.Error,
            Topics =
            [
                .. result.Topics.Select(t => Topic(t.Topic, t.Partitions.Select(p => (p.Partition, (short)p.Error)))),
                .. request.Topics.Where(t => result.Error == GroupError.None && !readable.Contains(t.Name)).Select(t => Topic(t.Name, t.Partitions.Select(p => (p.PartitionIndex, (short)ReadTopic.Error)))),
            ],
        };
    }

    static OffsetDeleteResponse.OffsetDeleteResponseTopic Topic(string name, IEnumerable<(int Index, short Error)> partitions) => new()
    {
        Name = name,
        Partitions = [.. partitions.Select(p => new OffsetDeleteResponse.OffsetDeleteResponsePartition { PartitionIndex = p.Index, ErrorCode = p.Error })],
    };
}
