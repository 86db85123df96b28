using IotGateway.Broker.Groups;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>Describes classic groups and their members.</summary>
internal sealed class DescribeGroupsApi(Broker broker) : Api<DescribeGroupsRequest, DescribeGroupsResponse>
{
    static readonly AccessRule Describe = AccessRule.Group(AclOperation.Describe);

    public override IReadOnlyList<AccessRule> Access => [Describe];

    protected override ValueTask<DescribeGroupsResponse?> HandleAsync(DescribeGroupsRequest request, RequestContext context)
    {
        var allowed = request.Groups.Distinct().ToLookup(g => context.Allows(Describe, g));
        return new(new DescribeGroupsResponse
        {
            Groups =
            [
                .. allowed[false].Select(g => new DescribeGroupsResponse.DescribedGroup { GroupId = g, ErrorCode = (short)Describe.Error, ErrorMessage = AclErrors.NotAllowed }),
                .. broker.Groups.Describe([.. allowed[true]], context.Version).Select(g => Group(g, request.IncludeAuthorizedOperations && g.Error == GroupError.None ? context.Operations(ResourceType.Group, g.GroupId) : int.MinValue)),
            ],
        });
    }

    static DescribeGroupsResponse.DescribedGroup Group(DescribedGroup g, int operations) => new()
    {
        ErrorCode = (short)g.Error,
        ErrorMessage = g.ErrorMessage,
        GroupId = g.GroupId,
        GroupState = g.State,
        ProtocolType = g.ProtocolType,
        ProtocolData = g.Protocol,
        AuthorizedOperations = operations,
        Members = [.. g.Members.Select(m => new DescribeGroupsResponse.DescribedGroupMember
        {
            MemberId = m.MemberId,
            GroupInstanceId = m.InstanceId,
            ClientId = m.ClientId,
            ClientHost = m.ClientHost,
            MemberMetadata = m.Metadata,
            MemberAssignment = m.Assignment,
        })],
    };
}
