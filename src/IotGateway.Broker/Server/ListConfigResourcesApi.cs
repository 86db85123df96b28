using System.Globalization;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>Names what has a configuration. Version 0 asks for client metrics only, of which there are none.</summary>
internal sealed class ListConfigResourcesApi(Broker broker) : Api<ListConfigResourcesRequest, ListConfigResourcesResponse>
{
    static readonly sbyte[] Known = [ConfigResources.Topic, ConfigResources.BrokerType, ConfigResources.Loggers, ConfigResources.ClientMetrics, ConfigResources.Group];
    static readonly AccessRule Describe = AccessRule.Cluster(AclOperation.DescribeConfigs);

    public override IReadOnlyList<AccessRule> Access => [Describe];

    protected override ValueTask<ListConfigResourcesResponse?> HandleAsync(ListConfigResourcesRequest request, RequestContext context)
    {
        if (!context.Allows(Describe)) return new(new ListConfigResourcesResponse { ErrorCode = (short)Describe.Error });
        var response = new ListConfigResourcesResponse();
        if (context.Version == 0) return new(response);
        if (request.ResourceTypes.Exists(t => !Known.Contains(t)))
        {
            response.ErrorCode = (short)KafkaError.UnsupportedVersion;
            return new(response);
        }
        var all = request.ResourceTypes.Count == 0;
        foreach (var type in new[] { ConfigResources.Loggers, ConfigResources.BrokerType }.Where(t => all || request.ResourceTypes.Contains(t)))
            response.ConfigResources.Add(new() { ResourceName = broker.Options.NodeId.ToString(CultureInfo.InvariantCulture), ResourceType = type });
        if (all || request.ResourceTypes.Contains(ConfigResources.Topic))
            response.ConfigResources.AddRange(broker.Store.Topics.Select(t => new ListConfigResourcesResponse.ConfigResource { ResourceName = t.Name, ResourceType = ConfigResources.Topic }));
        return new(response);
    }
}
