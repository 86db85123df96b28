using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>Tells the cluster: one broker. There is no controller listener to describe.</summary>
internal sealed class DescribeClusterApi(Broker broker) : Api<DescribeClusterRequest, DescribeClusterResponse>
{
    const sbyte Brokers = 1;
    const sbyte Controllers = 2;
    static readonly AccessRule DescribeCluster = AccessRule.Cluster(AclOperation.Describe);

    public override IReadOnlyList<AccessRule> Access => [DescribeCluster];

    protected override ValueTask<DescribeClusterResponse?> HandleAsync(DescribeClusterRequest request, RequestContext context)
    {
        if (request.EndpointType != Brokers)
        {
            var known = request.EndpointType == Controllers;
            return new(new DescribeClusterResponse
            {
                ErrorCode = (short)(known ? KafkaError.MismatchedEndpointType : KafkaError.UnsupportedEndpointType),
                ErrorMessage = known ? "This is a broker's listener." : $"Unsupported endpoint type {request.EndpointType}.",
            });
        }
        var (host, port) = context.Advertised;
        return new(new DescribeClusterResponse
        {
            ClusterId = broker.ClusterId,
            ControllerId = broker.Options.NodeId,
            Brokers = [new() { BrokerId = broker.Options.NodeId, Host = host, Port = port }],
            ClusterAuthorizedOperations = !request.IncludeClusterAuthorizedOperations ? int.MinValue
                : context.Allows(DescribeCluster) ? context.Operations(ResourceType.Cluster, Acl.Cluster) : 0,
        });
    }
}
