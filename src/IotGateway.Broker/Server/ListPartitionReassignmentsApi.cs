using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Server;

/// <summary>There is nowhere to reassign to, so nothing is under way.</summary>
internal sealed class ListPartitionReassignmentsApi : Api<ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse>
{
    protected override ValueTask<ListPartitionReassignmentsResponse?> HandleAsync(ListPartitionReassignmentsRequest request, RequestContext context)
        => new(new ListPartitionReassignmentsResponse { ErrorMessage = null });
}
