using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>Sets, removes, extends or shortens single settings of topics, the broker and groups (KIP-339).</summary>
internal sealed class IncrementalAlterConfigsApi(ConfigResources resources) : Api<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>
{
    const sbyte Set = 0, Delete = 1, Append = 2, Subtract = 3;

    public override IReadOnlyList<AccessRule> Access => ConfigResources.Rules(AclOperation.AlterConfigs);

    protected override async ValueTask<IncrementalAlterConfigsResponse?> HandleAsync(IncrementalAlterConfigsRequest request, RequestContext context)
    {
        var response = new IncrementalAlterConfigsResponse();
        foreach (var asked in request.Resources)
        {
            var (error, message) = await resources.AlterAsync(context, asked.ResourceType, asked.ResourceName, request.ValidateOnly, settings => Change(settings, asked));
            response.Responses.Add(new() { ResourceType = asked.ResourceType, ResourceName = asked.ResourceName, ErrorCode = (short)error, ErrorMessage = message });
        }
        return response;
    }

    static (KafkaError, string)? Change(Dictionary<string, string> settings, IncrementalAlterConfigsRequest.AlterConfigsResource asked)
    {
        if (asked.Configs.GroupBy(c => c.Name).FirstOrDefault(g => g.Count() > 1) is { } twice) return (KafkaError.InvalidRequest, $"{twice.Key} is changed more than once.");
        if (asked.Configs.Find(c => c.Value is null && c.ConfigOperation != Delete) is { } missing) return (KafkaError.InvalidRequest, $"{missing.Name} has no value.");
        foreach (var config in asked.Configs)
            if (Apply(asked.ResourceType, settings, config) is { } problem) return (KafkaError.InvalidConfig, problem);
        return null;
    }

    static string? Apply(sbyte type, Dictionary<string, string> settings, IncrementalAlterConfigsRequest.AlterableConfig config)
    {
        if (config.ConfigOperation == Delete)
        {
            settings.Remove(config.Name); // what there never was is gone, too
            return null;
        }
        if (ConfigResources.Find(type, config.Name) is not { } setting) return ConfigResources.Unknown(type, config.Name);
        var value = config.Value!;
        if (config.ConfigOperation == Set)
        {
            settings[config.Name] = value;
            return null;
        }
        if (config.ConfigOperation is not (Append or Subtract)) return $"Unknown operation {config.ConfigOperation} on {config.Name}.";
        if (setting.Type != SettingType.List) return $"{config.Name} is no list: it can only be set or deleted.";
        var items = Items(settings.GetValueOrDefault(config.Name, setting.Default)).ToList();
        if (config.ConfigOperation == Append) items.AddRange(Items(value).Except(items).ToList());
        else items.RemoveAll(Items(value).Contains);
        settings[config.Name] = string.Join(',', items);
        return null;
    }

    static string[] Items(string list) => list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
