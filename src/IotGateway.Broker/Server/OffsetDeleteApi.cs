using IotGateway.Broker.Groups;
using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Server;

/// <summary>Deletes a group's offsets of topics it no longer reads.</summary>
internal sealed class OffsetDeleteApi(Broker broker) : Api<OffsetDeleteRequest, OffsetDeleteResponse>
{
    protected override async ValueTask<OffsetDeleteResponse?> HandleAsync(OffsetDeleteRequest request, RequestContext context)
    {
        var result = await broker.Groups.DeleteOffsetsAsync(new(request.GroupId,
            [.. request.Topics.Select(t => new TopicItems<int>(t.Name, [.. t.Partitions.Select(p => p.PartitionIndex)]))]));
        return new()
        {
            ErrorCode = (short)result.Error,
            Topics = [.. result.Topics.Select(t => new OffsetDeleteResponse.OffsetDeleteResponseTopic
            {
                Name = t.Topic,
                Partitions = [.. t.Partitions.Select(p => new OffsetDeleteResponse.OffsetDeleteResponsePartition { PartitionIndex = p.Partition, ErrorCode = (short)p.Error })],
            })],
        };
    }
}
