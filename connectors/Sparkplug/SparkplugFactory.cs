using IotGateway.Connectors.Mqtt;
using IotGateway.Connectors.Sparkplug.Config;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Sparkplug;

/// <summary>The Sparkplug plugin. Thread-safe; what instances share is <see cref="InstanceMemory"/> and <see cref="SparkplugMetrics"/>.</summary>
public sealed class SparkplugFactory : IConnectorFactory<SparkplugConfig>
{
    readonly InstanceMemory _memory = new();

    /// <inheritdoc/>
    public ConnectorInfo Info { get; } = new("sparkplug", "Sparkplug B host application: metrics of edge nodes become readings, commands go to edge nodes and are confirmed by what these report.",
        ConnectorRoles.Source | ConnectorRoles.Commands | ConnectorRoles.Browsable);

    /// <inheritdoc/>
    public IEnumerable<TagDefinition> Tags(SparkplugConfig config)
        => from device in config.Devices
           where device.Enabled
           from tag in device.Tags
           where tag.Enabled
           select new TagDefinition(device.Name, tag.Name, tag.Type, tag.Unit, tag.Write);

    /// <inheritdoc/>
    public IConnector Create(SparkplugConfig config, ConnectorContext context) => new SparkplugHost(config, context, _memory, SparkplugMetrics.Instance);
}
