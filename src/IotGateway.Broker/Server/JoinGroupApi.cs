using IotGateway.Broker.Groups;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>Joins a member to a group; the answer comes when the join phase is over.</summary>
internal sealed class JoinGroupApi(Broker broker) : Api<JoinGroupRequest, JoinGroupResponse>
{
    static readonly AccessRule Read = AccessRule.Group(AclOperation.Read);

    public override IReadOnlyList<AccessRule> Access => [Read];

    protected override async ValueTask<JoinGroupResponse?> HandleAsync(JoinGroupRequest request, RequestContext context)
    {
        if (!context.Allows(Read, request.GroupId))
            return new() { ErrorCode = (short)Read.Error, ProtocolName = context.Version >= 7 ? null : "", MemberId = request.MemberId };
        var result = await broker.Groups.JoinAsync(new()
        {
            ApiVersion = context.Version,
            GroupId = request.GroupId,
            MemberId = request.MemberId,
            InstanceId = request.GroupInstanceId,
            SessionTimeoutMs = request.SessionTimeoutMs,
            RebalanceTimeoutMs = request.RebalanceTimeoutMs,
            ProtocolType = request.ProtocolType,
            // Copied: the group keeps it longer than the frame lives.
            Protocols = [.. request.Protocols.Select(p => new JoinProtocol(p.Name, p.Metadata.ToArray()))],
            ClientId = context.ClientId,
            ClientHost = context.Connection.ClientHost,
        });
        return new()
        {
            ErrorCode = (short)result.Error,
            GenerationId = result.Generation,
            ProtocolType = result.ProtocolType,
            ProtocolName = result.Protocol ?? (context.Version >= 7 ? null : ""),
            Leader = result.Leader,
            SkipAssignment = result.SkipAssignment,
            MemberId = result.MemberId,
            Members = [.. result.Members.Select(m => new JoinGroupResponse.JoinGroupResponseMember { MemberId = m.MemberId, GroupInstanceId = m.InstanceId, Metadata = m.Metadata })],
        };
    }
}
