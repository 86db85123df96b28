using IotGateway.Connect.Configs.Binding;
using IotGateway.Connect.Configs.Secrets;
using IotGateway.Sdk;

namespace IotGateway.Connect.Configs;

/// <summary>The options of one configuration record, read once from its declaration. Immutable and thread-safe once made.</summary>
public sealed class ConfigSchema
{
    Dictionary<string, OptionInfo> _byName = [];

    internal ConfigSchema(Type type) => Type = type;

    /// <summary>The record.</summary>
    public Type Type { get; }

    /// <summary>Its options, in order of declaration.</summary>
    public IReadOnlyList<OptionInfo> Options
    {
        get;
        internal set
        {
            field = value;
            _byName = value.ToDictionary(o => o.Name);
        }
    } = [];

    /// <summary>Names of the options.</summary>
    public IReadOnlyCollection<string> Names => _byName.Keys;

    /// <summary>The schema of gateway.json.</summary>
    public static ConfigSchema Gateway { get; } = SchemaBuilder.Build(typeof(GatewayConfig));

    /// <summary>The schema of any configuration record.</summary>
    /// <exception cref="InvalidOperationException">The record is not declared as options have to be; the message says where.</exception>
    public static ConfigSchema For(Type type) => SchemaBuilder.Build(type);

    /// <summary>The schema of a connector's file: the name of the connector, its own options, then the common ones that apply to its roles.</summary>
    internal static ConfigSchema ForConnector(Type config, ConnectorRoles roles) => SchemaBuilder.BuildConnector(config, roles);

    /// <summary>The option of a JSON name, or null.</summary>
    public OptionInfo? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>
    /// A configuration text as it may be shown: secrets become <c>[hidden]</c>, references to secrets stay. Comments are lost; what
    /// is no JSON is hidden as a whole.
    /// </summary>
    public string Mask(string json) => Masking.Mask(json, this);

    /// <summary>All options, nested ones included, each once; a record that nests itself is not entered again.</summary>
    public IEnumerable<OptionInfo> All()
    {
        foreach (var option in Options)
        {
            yield return option;
            for (var type = option.Type; type is not null; type = type.Item)
            {
                // A schema that nests itself points back at its first occurrence, whose paths are shorter.
                if (type.Schema is not { Options: [{ } first, ..] } nested || !first.Path.StartsWith(option.Path, StringComparison.Ordinal)) continue;
                foreach (var inner in nested.All()) yield return inner;
            }
        }
    }
}
