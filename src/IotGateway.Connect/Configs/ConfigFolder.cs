using IotGateway.Connect.Plugins;

namespace IotGateway.Connect.Configs;

/// <summary>
/// Reads a configuration folder: <c>gateway.json</c> and <c>connectors/*.json</c>. Pure but for reading these files and the secrets
/// they name. Finds every problem of every file at once; throws for none of them.
/// </summary>
public static class ConfigFolder
{
    /// <summary>Reads and checks everything.</summary>
    public static LoadedConfig Load(string folder, PluginCatalog plugins) => throw new NotSupportedException($"{folder} {plugins}");

    /// <summary>Reads and checks one connector among the others, for hot reload and REST.</summary>
    /// <param name="folder">The configuration folder.</param>
    /// <param name="name">The connector's name; its file is <c>connectors/NAME.json</c>.</param>
    /// <param name="plugins">The plugins.</param>
    /// <param name="others">The configuration in force: device names must stay unique against it. The connector's own entry is left out.</param>
    /// <param name="text">The text to check instead of the file's; null: read the file.</param>
    public static LoadedConnector LoadConnector(string folder, string name, PluginCatalog plugins, LoadedConfig others, string? text = null)
        => throw new NotSupportedException($"{folder} {name} {plugins} {others} {text}");
}
