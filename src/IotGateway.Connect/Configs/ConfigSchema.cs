using IotGateway.Sdk;

namespace IotGateway.Connect.Configs;

/// <summary>The options of one configuration record, read once from its declaration. Immutable, thread-safe.</summary>
public sealed class ConfigSchema
{
    internal ConfigSchema(Type type, IReadOnlyList<OptionInfo> options) => (Type, Options) = (type, options);

    /// <summary>The record.</summary>
    public Type Type { get; }

    /// <summary>Its options, in order of declaration.</summary>
    public IReadOnlyList<OptionInfo> Options { get; }

    internal static ConfigSchema ForConnector(Type config, ConnectorRoles roles) => new(config, []);
}
