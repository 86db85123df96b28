using IotGateway.Broker.Groups;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>Takes the leader's assignment and gives each member its part.</summary>
internal sealed class SyncGroupApi(Broker broker) : Api<SyncGroupRequest, SyncGroupResponse>
{
    static readonly AccessRule Read = AccessRule.Group(AclOperation.Read);

    public override IReadOnlyList<AccessRule> Access => [Read];

    protected override async ValueTask<SyncGroupResponse?> HandleAsync(SyncGroupRequest request, RequestContext context)
    {
        if (!context.Allows(Read, request.GroupId)) return new() { ErrorCode = (short)Read.Error, ProtocolType = null, ProtocolName = null };
        if (context.Version >= 5 && (request.ProtocolType is null || request.ProtocolName is null))
            return new() { ErrorCode = (short)GroupError.InconsistentGroupProtocol, ProtocolType = null, ProtocolName = null };
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
