using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>There are no quotas; Kafka's configs tool asks for them whatever it describes.</summary>
internal sealed class DescribeClientQuotasApi : Api<DescribeClientQuotasRequest, DescribeClientQuotasResponse>
{
    static readonly AccessRule Describe = AccessRule.Cluster(AclOperation.DescribeConfigs);

    public override IReadOnlyList<AccessRule> Access => [Describe];

    protected override ValueTask<DescribeClientQuotasResponse?> HandleAsync(DescribeClientQuotasRequest request, RequestContext context)
        => new(context.Allows(Describe) ? new DescribeClientQuotasResponse { ErrorMessage = null }
            : new() { ErrorCode = (short)Describe.Error, ErrorMessage = AclErrors.NotAllowed, Entries = null });
}
