using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>Replaces all settings of topics: what is not named goes back to its default.</summary>
internal sealed class AlterConfigsApi(ConfigResources resources) : Api<AlterConfigsRequest, AlterConfigsResponse>
{
    public override IReadOnlyList<AccessRule> Access => ConfigResources.Rules(AclOperation.AlterConfigs);

    protected override async ValueTask<AlterConfigsResponse?> HandleAsync(AlterConfigsRequest request, RequestContext context)
    {
        var response = new AlterConfigsResponse();
        foreach (var asked in request.Resources)
        {
            var (error, message) = await resources.AlterAsync(context, asked.ResourceType, asked.ResourceName, request.ValidateOnly, settings => Replace(settings, asked));
            response.Responses.Add(new() { ResourceType = asked.ResourceType, ResourceName = asked.ResourceName, ErrorCode = (short)error, ErrorMessage = message });
        }
        return response;
    }

    static (KafkaError, string)? Replace(Dictionary<string, string> settings, AlterConfigsRequest.AlterConfigsResource asked)
    {
        settings.Clear();
        foreach (var config in asked.Configs)
        {
            if (config.Value is null) return (KafkaError.InvalidRequest, $"{config.Name} has no value.");
            settings[config.Name] = config.Value;
        }
        return null;
    }
}
