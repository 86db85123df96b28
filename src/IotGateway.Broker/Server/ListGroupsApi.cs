using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Server;

/// <summary>Lists groups, by state and type where the client wants.</summary>
internal sealed class ListGroupsApi(Broker broker) : Api<ListGroupsRequest, ListGroupsResponse>
{
    protected override ValueTask<ListGroupsResponse?> HandleAsync(ListGroupsRequest request, RequestContext context) => new(new ListGroupsResponse
    {
        Groups = [.. broker.Groups.List(request.StatesFilter, request.TypesFilter).Select(g => new ListGroupsResponse.ListedGroup
        {
            GroupId = g.GroupId,
            ProtocolType = g.ProtocolType,
            GroupState = g.State,
            GroupType = g.Type,
        })],
    });
}
