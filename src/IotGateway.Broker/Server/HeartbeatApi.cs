using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Server;

/// <summary>Keeps a member of a classic group alive.</summary>
internal sealed class HeartbeatApi(Broker broker) : Api<HeartbeatRequest, HeartbeatResponse>
{
    protected override ValueTask<HeartbeatResponse?> HandleAsync(HeartbeatRequest request, RequestContext context)
        => new(new HeartbeatResponse { ErrorCode = (short)broker.Groups.Heartbeat(new(request.GroupId, request.GenerationId, request.MemberId, request.GroupInstanceId)) });
}
