using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Connectors.Sparkplug.Wire;

namespace IotGateway.Connectors.Sparkplug.Plant;

/// <summary>What a host subscribes to: births, deaths and data of its groups, not the commands it sends itself. Pure.</summary>
static class EdgeFilters
{
    static readonly string[] Kinds = ["NBIRTH", "NDEATH", "NDATA", "DBIRTH", "DDEATH", "DDATA"];

    /// <summary>The filters. QoS 0, which births and data have anyway: in a clean session nothing more would come of another.</summary>
    public static IReadOnlyList<SubscribeFilter> Of(IReadOnlyList<string> groups)
        => [.. (groups.Count == 0 ? ["+"] : groups.Distinct()).SelectMany(g => Kinds, (g, k) => SubscribeFilter.Of($"{SparkplugTopic.Namespace}/{g}/{k}/#", 0))];
}
