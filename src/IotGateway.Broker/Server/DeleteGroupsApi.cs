using IotGateway.Broker.Groups;
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
        var response = new DeleteGroupsResponse { Results = [.. allowed[false].Select(g => new DeleteGroupsResponse.DeletableGroupResult { GroupId = g, ErrorCode = (short)Delete.Error })] };
        foreach (var (group, refusal) in deleted)
        {
            var error = refusal != GroupError.None ? (KafkaError)refusal
                : await TransactionErrors.Of(broker.Transactions.DropOffsetsAsync(group, broker.Groups.Pending.Of(group)));
            response.Results.Add(new() { GroupId = group, ErrorCode = (short)error });
        }
        return response;
    }
}
