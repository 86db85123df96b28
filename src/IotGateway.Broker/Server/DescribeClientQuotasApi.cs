using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Server;

/// <summary>There are no quotas; Kafka's configs tool asks for them whatever it describes.</summary>
internal sealed class DescribeClientQuotasApi : Api<DescribeClientQuotasRequest, DescribeClientQuotasResponse>
{
    protected override ValueTask<DescribeClientQuotasResponse?> HandleAsync(DescribeClientQuotasRequest request, RequestContext context)
        => new(new DescribeClientQuotasResponse { ErrorMessage = null });
}
