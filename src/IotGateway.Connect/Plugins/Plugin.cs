using IotGateway.Connect.Configs;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Plugins;

/// <summary>
/// One connector kind, loaded: its factory without the type parameter, and the schema of its configuration.
/// Immutable and thread-safe. Calls pass the factory's exceptions through; a factory does no I/O.
/// </summary>
public sealed class Plugin
{
    readonly PluginFace _face;
    readonly Lazy<ConfigSchema> _schema;

    internal Plugin(PluginFace face, string folder)
    {
        _face = face;
        Folder = folder;
        _schema = new(() => ConfigSchema.ForConnector(_face.ConfigType, _face.Info.Roles));
    }

    /// <summary>Name, summary and capabilities.</summary>
    public ConnectorInfo Info => _face.Info;

    /// <summary>Simple name of the assembly it came from.</summary>
    public string AssemblyName => _face.FactoryType.Assembly.GetName().Name!;

    /// <summary>Version of that assembly.</summary>
    public Version Version => _face.FactoryType.Assembly.GetName().Version ?? new(0, 0);

    /// <summary>The plugin's folder; empty for one registered in process.</summary>
    public string Folder { get; }

    /// <summary>Its configuration record.</summary>
    public Type ConfigType => _face.ConfigType;

    /// <summary>All options of a connector file that names it: its own and the common ones.</summary>
    public ConfigSchema Schema => _schema.Value;

    /// <summary>A plugin made from a factory instance, for tests and for connectors built into the host.</summary>
    public static Plugin From<TConfig>(IConnectorFactory<TConfig> factory) where TConfig : class => new(new PluginFace<TConfig>(factory), "");

    /// <summary>Makes one instance; touches neither network nor disk.</summary>
    public IConnector Create(object config, ConnectorContext ctx) => _face.Create(config, ctx);

    /// <summary>The tags a configuration names.</summary>
    public IReadOnlyList<TagDefinition> Tags(object config) => _face.Tags(config);

    /// <summary>Splits a configuration into at most <paramref name="maxTasks"/> parts, each with a key that survives edits.</summary>
    public IReadOnlyList<(string Key, object Config)> Split(object config, int maxTasks) => _face.Split(config, maxTasks);

    /// <summary>Whether this instance can take a changed configuration while it runs.</summary>
    public bool CanReconfigure(IConnector connector) => _face.CanReconfigure(connector);

    /// <summary>Offers a changed configuration to a running instance; answers NeedsRestart where it cannot.</summary>
    public ValueTask<ApplyResult> TryApplyAsync(IConnector connector, object next, CancellationToken ct) => _face.TryApplyAsync(connector, next, ct);

    /// <summary>Name and version.</summary>
    public override string ToString() => $"{Info.Name} {Version}";
}
