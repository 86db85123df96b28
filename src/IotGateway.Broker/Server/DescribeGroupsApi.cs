using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Server;

/// <summary>Describes classic groups and their members.</summary>
internal sealed class DescribeGroupsApi(Broker broker) : Api<DescribeGroupsRequest, DescribeGroupsResponse>
{
    protected override ValueTask<DescribeGroupsResponse?> HandleAsync(DescribeGroupsRequest request, RequestContext context) => new(new DescribeGroupsResponse
    {
        Groups = [.. broker.Groups.Describe(request.Groups, context.Version).Select(g => new DescribeGroupsResponse.DescribedGroup
        {
            ErrorCode = (short)g.Error,
            ErrorMessage = g.ErrorMessage,
            GroupId = g.GroupId,
            GroupState = g.State,
            ProtocolType = g.ProtocolType,
            ProtocolData = g.Protocol,
            AuthorizedOperations = request.IncludeAuthorizedOperations ? Operations.OnGroup : int.MinValue,
            Members = [.. g.Members.Select(m => new DescribeGroupsResponse.DescribedGroupMember
            {
                MemberId = m.MemberId,
                GroupInstanceId = m.InstanceId,
                ClientId = m.ClientId,
                ClientHost = m.ClientHost,
                MemberMetadata = m.Metadata,
                MemberAssignment = m.Assignment,
            })],
        })],
    });
}
