using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>Deletes empty groups.</summary>
internal sealed class DeleteGroupsApi(Broker broker) : Api<DeleteGroupsRequest, DeleteGroupsResponse>
{
    static readonly AccessRule Delete = AccessRule.Group(AclOperation.Delete);

    public override IReadOnlyList<AccessRule> Access => [Delete];

    protected override async ValueTask<DeleteGroupsResponse?> HandleAsync(DeleteGroupsRequest request, RequestContext context)
    {
        var allowed = request.GroupsNames.Distinct().ToLookup(g => context.Allows(Delete, g));
        var deleted = await broker.Groups.DeleteGroupsAsync([.. allowed[true]]);
        return new()
        {
            Results =
            [
                .. allowed[false].Select(g => new DeleteGroupsResponse.DeletableGroupResult { GroupId = g, ErrorCode = (short)Delete.Error }),
                .. deleted.Select(g => new DeleteGroupsResponse.DeletableGroupResult { GroupId = g.GroupId, ErrorCode = (short)g.Error }),
            ],
        };
    }
}
