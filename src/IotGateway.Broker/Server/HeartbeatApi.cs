using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>Keeps a member of a classic group alive.</summary>
internal sealed class HeartbeatApi(Broker broker) : Api<HeartbeatRequest, HeartbeatResponse>
{
    static readonly AccessRule Read = AccessRule.Group(AclOperation.Read);

    public override IReadOnlyList<AccessRule> Access => [Read];

    protected override ValueTask<HeartbeatResponse?> HandleAsync(HeartbeatRequest request, RequestContext context)
        => new(new HeartbeatResponse { ErrorCode = !context.Allows(Read, request.GroupId) ? (short)Read.Error
            : (short)broker.Groups.Heartbeat(new(request.GroupId, request.GenerationId, request.MemberId, request.GroupInstanceId)) });
}
