using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>Lists groups, by state and type where the client wants.</summary>
internal sealed class ListGroupsApi(Broker broker) : Api<ListGroupsRequest, ListGroupsResponse>
{
    static readonly AccessRule DescribeCluster = AccessRule.Cluster(AclOperation.Describe);
    static readonly AccessRule DescribeGroup = AccessRule.Group(AclOperation.Describe);

    public override IReadOnlyList<AccessRule> Access => [DescribeCluster, DescribeGroup];

    protected override ValueTask<ListGroupsResponse?> HandleAsync(ListGroupsRequest request, RequestContext context)
    {
        var all = context.Sees(DescribeCluster, Acl.Cluster);
        return new(new ListGroupsResponse
        {
            Groups = [.. broker.Groups.List(request.StatesFilter, request.TypesFilter).Where(g => all || context.Sees(DescribeGroup, g.GroupId)).Select(g => new ListGroupsResponse.ListedGroup
            {
                GroupId = g.GroupId,
                ProtocolType = g.ProtocolType,
                GroupState = g.State,
                GroupType = g.Type,
            })],
        });
    }
}
