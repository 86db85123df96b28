using IotGateway.Sdk.Data;

namespace IotGateway.Sdk;

/// <summary>
/// The face of a plugin: the runtime finds every exported class that closes this interface and makes one by its parameterless
/// constructor. All members are pure: no I/O, callable from any thread.
/// </summary>
/// <typeparam name="TConfig">A sealed record whose properties carry <see cref="Config.OptionAttribute"/>.</typeparam>
public interface IConnectorFactory<TConfig> where TConfig : class
{
    /// <summary>Name, summary and capabilities.</summary>
    ConnectorInfo Info { get; }

    /// <summary>Makes one instance. Must not touch the network or the disk.</summary>
    IConnector Create(TConfig config, ConnectorContext context);

    /// <summary>The tags the configuration names. Tags met only at run time are not listed.</summary>
    IEnumerable<TagDefinition> Tags(TConfig config) => [];

    /// <summary>Splits the work into at most <paramref name="maxTasks"/> independent instances; a bus is never split.</summary>
    IReadOnlyList<Part<TConfig>> Split(TConfig config, int maxTasks) => [new Part<TConfig>("", config)];
}

/// <summary>One instance's share of a configuration.</summary>
/// <param name="Key">Names the share; survives edits of the configuration, so that an instance is matched to its predecessor.</param>
/// <param name="Config">The share.</param>
public sealed record Part<TConfig>(string Key, TConfig Config) where TConfig : class;
