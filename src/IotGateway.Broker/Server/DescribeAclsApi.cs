using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Server;

/// <summary>There are no ACLs, which Kafka without an authorizer tells by SECURITY_DISABLED.</summary>
internal sealed class DescribeAclsApi : Api<DescribeAclsRequest, DescribeAclsResponse>
{
    /// <summary>What all ACL APIs tell.</summary>
    public const string Message = "No authorizer is configured on this broker.";

    protected override ValueTask<DescribeAclsResponse?> HandleAsync(DescribeAclsRequest request, RequestContext context)
        => new(new DescribeAclsResponse { ErrorCode = (short)KafkaError.SecurityDisabled, ErrorMessage = Message });
}
