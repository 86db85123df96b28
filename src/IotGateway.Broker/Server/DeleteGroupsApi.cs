using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Server;

/// <summary>Deletes empty groups.</summary>
internal sealed class DeleteGroupsApi(Broker broker) : Api<DeleteGroupsRequest, DeleteGroupsResponse>
{
    protected override async ValueTask<DeleteGroupsResponse?> HandleAsync(DeleteGroupsRequest request, RequestContext context)
    {
        var deleted = await broker.Groups.DeleteGroupsAsync(request.GroupsNames);
        return new() { Results = [.. deleted.Select(g => new DeleteGroupsResponse.DeletableGroupResult { GroupId = g.GroupId, ErrorCode = (short)g.Error })] };
    }
}
