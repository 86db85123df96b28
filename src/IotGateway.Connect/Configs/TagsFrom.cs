using IotGateway.Connect.Configs.Binding;
using IotGateway.Connect.Configs.Json;
using IotGateway.Connect.Configs.Secrets;

namespace IotGateway.Connect.Configs;

/// <summary>Replaces <c>{ "tagsFrom": "meters.csv" }</c> in a list by the entries of that table.</summary>
internal static class TagsFrom
{
    public const string Key = "tagsFrom";
    public const string Doc = "CSV file in the configuration folder: a column 'device', columns named like a device's options, and columns named like a tag's, 'tag' being its name.";

    /// <summary>Whether a list's elements may come from a table: they are records with a list of records named <c>tags</c>.</summary>
    public static bool Takes(OptionType item) => item.Schema?.Find("tags") is { Type: { Kind: OptionKind.List, Item.Kind: OptionKind.Object } };

    public static void Expand(ConfigNode root, ConfigSchema schema, string folder, SecretResolver secrets, Report report)
    {
        _ = (root, schema, folder, secrets, report);
    }
}
