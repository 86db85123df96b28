using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>There is nowhere to reassign to, so nothing is under way.</summary>
internal sealed class ListPartitionReassignmentsApi : Api<ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse>
{
    static readonly AccessRule Describe = AccessRule.Cluster(AclOperation.Describe);

    public override IReadOnlyList<AccessRule> Access => [Describe];

    protected override ValueTask<ListPartitionReassignmentsResponse?> HandleAsync(ListPartitionReassignmentsRequest request, RequestContext context)
        => new(context.Allows(Describe) ? new ListPartitionReassignmentsResponse { ErrorMessage = null }
            : new() { ErrorCode = (short)Describe.Error, ErrorMessage = AclErrors.NotAllowed });
}
