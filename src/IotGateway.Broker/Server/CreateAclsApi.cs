using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Server;

/// <summary>There are no ACLs: each is answered SECURITY_DISABLED.</summary>
internal sealed class CreateAclsApi : Api<CreateAclsRequest, CreateAclsResponse>
{
    protected override ValueTask<CreateAclsResponse?> HandleAsync(CreateAclsRequest request, RequestContext context) => new(new CreateAclsResponse
    {
        Results = [.. request.Creations.Select(_ => new CreateAclsResponse.AclCreationResult { ErrorCode = (short)KafkaError.SecurityDisabled, ErrorMessage = DescribeAclsApi.Message })],
    });
}
