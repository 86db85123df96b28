using System.Globalization;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Mqtt;

/// <summary>The MQTT plugin. Thread-safe; what instances share is <see cref="InstanceMemory"/> and <see cref="MqttMetrics"/>.</summary>
public sealed class MqttFactory : IConnectorFactory<MqttConfig>
{
    readonly InstanceMemory _memory = new();

    /// <inheritdoc/>
    public ConnectorInfo Info { get; } = new("mqtt", "Subscribes to an MQTT broker; messages are acknowledged once they are on disk. Commands go to devices and come back answered.", ConnectorRoles.Source | ConnectorRoles.Commands | ConnectorRoles.Browsable);

    /// <inheritdoc/>
    public IEnumerable<TagDefinition> Tags(MqttConfig config)
        => from device in config.Devices
           where device.Enabled
           from tag in device.Tags
           where tag.Enabled
           select new TagDefinition(device.Name, tag.Name, tag.Type, tag.Unit, tag.Write);

    /// <summary>Only shared subscriptions can be consumed side by side (MQTT 5 §4.8.2); everything else stays with the first task.</summary>
    public IReadOnlyList<Part<MqttConfig>> Split(MqttConfig config, int maxTasks)
    {
        var shared = config.Subscriptions.Where(s => s.Filter.StartsWith("$share/", StringComparison.Ordinal)).ToList();
        return shared.Count == 0 ? [new("", config)] :
        [
            new("", config),
            .. Enumerable.Range(1, maxTasks - 1).Select(n => new Part<MqttConfig>(n.ToString(CultureInfo.InvariantCulture), config with { Task = n, Subscriptions = shared, Commands = null, Devices = [], Presence = null })),
        ];
    }

    /// <inheritdoc/>
    public IConnector Create(MqttConfig config, ConnectorContext context) => new MqttSource(config, context, _memory, MqttMetrics.Instance);
}
