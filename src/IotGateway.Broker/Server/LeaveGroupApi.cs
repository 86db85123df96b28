using IotGateway.Broker.Groups;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>Removes members from a group; one up to version 2, any number after.</summary>
internal sealed class LeaveGroupApi(Broker broker) : Api<LeaveGroupRequest, LeaveGroupResponse>
{
    static readonly AccessRule Read = AccessRule.Group(AclOperation.Read);

    public override IReadOnlyList<AccessRule> Access => [Read];

    protected override ValueTask<LeaveGroupResponse?> HandleAsync(LeaveGroupRequest request, RequestContext context)
    {
        if (!context.Allows(Read, request.GroupId)) return new(new LeaveGroupResponse { ErrorCode = (short)Read.Error });
        var result = broker.Groups.Leave(new()
        {
            ApiVersion = context.Version,
            GroupId = request.GroupId,
            Members = context.Version < 3 ? [new(request.MemberId, null)] : [.. request.Members.Select(m => new LeavingMember(m.MemberId, m.GroupInstanceId))],
        });
        return new(new LeaveGroupResponse
        {
            ErrorCode = (short)result.Error,
            Members = [.. result.Members.Select(m => new LeaveGroupResponse.MemberResponse { MemberId = m.MemberId, GroupInstanceId = m.InstanceId, ErrorCode = (short)m.Error })],
        });
    }
}
