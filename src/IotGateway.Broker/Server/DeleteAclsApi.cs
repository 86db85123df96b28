using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Server;

/// <summary>There are no ACLs: each filter is answered SECURITY_DISABLED.</summary>
internal sealed class DeleteAclsApi : Api<DeleteAclsRequest, DeleteAclsResponse>
{
    protected override ValueTask<DeleteAclsResponse?> HandleAsync(DeleteAclsRequest request, RequestContext context) => new(new DeleteAclsResponse
    {
        FilterResults = [.. request.Filters.Select(_ => new DeleteAclsResponse.DeleteAclsFilterResult { ErrorCode = (short)KafkaError.SecurityDisabled, ErrorMessage = DescribeAclsApi.Message })],
    });
}
