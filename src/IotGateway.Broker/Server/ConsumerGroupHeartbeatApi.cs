using IotGateway.Broker.Groups;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>The whole life of a member by the consumer protocol (KIP-848).</summary>
internal sealed class ConsumerGroupHeartbeatApi(Broker broker) : Api<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse>
{
    static readonly AccessRule Read = AccessRule.Group(AclOperation.Read);
    static readonly AccessRule Describe = AccessRule.Topic(AclOperation.Describe);

    public override IReadOnlyList<AccessRule> Access => [Read, Describe];

    protected override async ValueTask<ConsumerGroupHeartbeatResponse?> HandleAsync(ConsumerGroupHeartbeatRequest request, RequestContext context)
    {
        if (!context.Allows(Read, request.GroupId)) return new() { ErrorCode = (short)Read.Error, ErrorMessage = AclErrors.NotAllowed };
        if (request.SubscribedTopicNames is { } names && !names.TrueForAll(n => context.Allows(Describe, n))) return new() { ErrorCode = (short)Describe.Error, ErrorMessage = AclErrors.NotAllowed };
        var result = await broker.Groups.ConsumerHeartbeatAsync(new()
        {
            ApiVersion = context.Version,
            GroupId = request.GroupId,
            MemberId = request.MemberId,
            MemberEpoch = request.MemberEpoch,
            InstanceId = request.InstanceId,
            RackId = request.RackId,
            RebalanceTimeoutMs = request.RebalanceTimeoutMs,
            SubscribedTopicNames = request.SubscribedTopicNames,
            SubscribedTopicRegex = request.SubscribedTopicRegex,
            ServerAssignor = request.ServerAssignor,
            OwnedPartitions = request.TopicPartitions?.Select(t => new TopicIdPartitions(t.TopicId, t.Partitions)).ToList(),
            Sees = context.Sight(Describe),
            ClientId = context.ClientId,
            ClientHost = context.Connection.ClientHost,
        });
        return new()
        {
            ErrorCode = (short)result.Error,
            ErrorMessage = result.ErrorMessage,
            MemberId = result.MemberId,
            MemberEpoch = result.MemberEpoch,
            HeartbeatIntervalMs = result.HeartbeatIntervalMs,
            Assignment = result.Assignment is not { } assignment ? null : new()
            {
                TopicPartitions = [.. assignment.Select(t => new ConsumerGroupHeartbeatResponse.TopicPartitions { TopicId = t.TopicId, Partitions = [.. t.Partitions] })],
            },
        };
    }
}
