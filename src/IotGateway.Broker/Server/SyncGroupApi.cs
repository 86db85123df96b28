using IotGateway.Broker.Groups;
using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Server;

/// <summary>Takes the leader's assignment and gives each member its part.</summary>
internal sealed class SyncGroupApi(Broker broker) : Api<SyncGroupRequest, SyncGroupResponse>
{
    protected override async ValueTask<SyncGroupResponse?> HandleAsync(SyncGroupRequest request, RequestContext context)
    {
        var result = await broker.Groups.SyncAsync(new()
        {
            GroupId = request.GroupId,
            Generation = request.GenerationId,
            MemberId = request.MemberId,
            InstanceId = request.GroupInstanceId,
            ProtocolType = request.ProtocolType,
            Protocol = request.ProtocolName,
            // Copied: the group keeps it longer than the frame lives.
            Assignments = [.. request.Assignments.Select(a => new MemberAssignment(a.MemberId, a.Assignment.ToArray()))],
        });
        return new() { ErrorCode = (short)result.Error, ProtocolType = result.ProtocolType, ProtocolName = result.Protocol, Assignment = result.Assignment };
    }
}
