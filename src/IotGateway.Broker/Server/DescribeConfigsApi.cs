using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>Tells settings of topics and of the broker, each with where it comes from.</summary>
internal sealed class DescribeConfigsApi(ConfigResources resources) : Api<DescribeConfigsRequest, DescribeConfigsResponse>
{
    public override IReadOnlyList<AccessRule> Access => ConfigResources.Rules(AclOperation.DescribeConfigs);

    protected override ValueTask<DescribeConfigsResponse?> HandleAsync(DescribeConfigsRequest request, RequestContext context) => new(new DescribeConfigsResponse
    {
        Results = [.. request.Resources.GroupBy(r => (r.ResourceType, r.ResourceName)).Select(g => Describe(context, g.Key.ResourceType, g.Key.ResourceName, Keys(g), request.IncludeSynonyms))],
    });

    /// <summary>The settings asked for of one resource, however often it is named; null: all of them.</summary>
    static HashSet<string>? Keys(IEnumerable<DescribeConfigsRequest.DescribeConfigsResource> asked)
    {
        var keys = new HashSet<string>();
        foreach (var one in asked)
        {
            // Null asks for all; so does, in Kafka, the empty list.
            if (one.ConfigurationKeys is not { Count: > 0 } some) return null;
            keys.UnionWith(some);
        }
        return keys;
    }

    DescribeConfigsResponse.DescribeConfigsResult Describe(RequestContext context, sbyte type, string name, HashSet<string>? keys, bool synonyms)
    {
        var (entries, error, message) = resources.Describe(context, type, name);
        return new()
        {
            ErrorCode = (short)error,
            ErrorMessage = message,
            ResourceType = type,
            ResourceName = name,
            Configs = [.. (entries ?? []).Where(e => keys?.Contains(e.Name) ?? true).Select(e => new DescribeConfigsResponse.DescribeConfigsResourceResult
            {
                Name = e.Name,
                Value = e.Value,
                ReadOnly = e.ReadOnly,
                ConfigSource = (sbyte)e.Source,
                ConfigType = (sbyte)e.Type,
                Documentation = null,
                Synonyms = synonyms ? Synonyms(e) : [],
            })],
        };
    }

    /// <summary>Where the value would come from if it were not set, the value in force first.</summary>
    static List<DescribeConfigsResponse.DescribeConfigsSynonym> Synonyms(ConfigEntry entry)
    {
        List<DescribeConfigsResponse.DescribeConfigsSynonym> all = [new() { Name = entry.Name, Value = entry.Value, Source = (sbyte)entry.Source }];
        if (entry.Source is not (ConfigSource.Default or ConfigSource.StaticBroker)) all.Add(new() { Name = entry.Name, Value = entry.Default, Source = (sbyte)ConfigSource.Default });
        return all;
    }
}
