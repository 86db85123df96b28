using IotGateway.Sdk;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Plugins;

/// <summary>A connector factory without its type parameter. Pure and thread-safe as the factory is; its exceptions pass through.</summary>
internal abstract class PluginFace
{
    public abstract ConnectorInfo Info { get; }
    public abstract Type ConfigType { get; }
    public abstract Type FactoryType { get; }
    public abstract IConnector Create(object config, ConnectorContext context);
    public abstract IReadOnlyList<TagDefinition> Tags(object config);
    public abstract IReadOnlyList<(string Key, object Config)> Split(object config, int maxTasks);
    public abstract bool CanReconfigure(IConnector connector);
    public abstract ValueTask<ApplyResult> TryApplyAsync(IConnector connector, object next, CancellationToken ct);
}

/// <inheritdoc/>
internal sealed class PluginFace<TConfig>(IConnectorFactory<TConfig> factory) : PluginFace where TConfig : class
{
    public override ConnectorInfo Info { get; } = factory.Info ?? throw new InvalidOperationException("The factory's Info is null.");
    public override Type ConfigType => typeof(TConfig);
    public override Type FactoryType => factory.GetType();
    public override IConnector Create(object config, ConnectorContext context) => factory.Create((TConfig)config, context);
    public override IReadOnlyList<TagDefinition> Tags(object config) => [.. factory.Tags((TConfig)config)];
    public override IReadOnlyList<(string Key, object Config)> Split(object config, int maxTasks)
        => [.. factory.Split((TConfig)config, maxTasks).Select(p => (p.Key, (object)p.Config))];
    public override bool CanReconfigure(IConnector connector) => connector is IReconfigurable<TConfig>;
    public override ValueTask<ApplyResult> TryApplyAsync(IConnector connector, object next, CancellationToken ct)
        => connector is IReconfigurable<TConfig> able
            ? able.TryApplyAsync((TConfig)next, ct)
            : new(new ApplyResult.NeedsRestart("The connector cannot take a changed configuration while it runs."));
}
