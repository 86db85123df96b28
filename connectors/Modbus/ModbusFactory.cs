using IotGateway.Connectors.Modbus.Config;
using IotGateway.Connectors.Modbus.Model;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Modbus;

/// <summary>The face of the plugin.</summary>
public sealed class ModbusFactory : IConnectorFactory<ModbusConfig>
{
    /// <inheritdoc/>
    public ConnectorInfo Info { get; } = new("modbus", "Polls and writes Modbus TCP devices.", ConnectorRoles.Source | ConnectorRoles.Readable | ConnectorRoles.Commands);

    /// <inheritdoc/>
    public IConnector Create(ModbusConfig config, ConnectorContext context) => new ModbusConnector(config, context);

    /// <inheritdoc/>
    public IEnumerable<TagDefinition> Tags(ModbusConfig config) => ModbusModel.Definitions(config);

    /// <summary>By endpoint, for an endpoint is a bus: one part each, or if there are too many, endpoints dealt out by a hash of their name.</summary>
    public IReadOnlyList<Part<ModbusConfig>> Split(ModbusConfig config, int maxTasks)
    {
        var endpoints = config.Devices.GroupBy(d => ModbusModel.EndpointKey(config, d)).ToArray();
        if (maxTasks <= 1 || endpoints.Length <= 1) return [new("", config)];
        return [.. endpoints
            .GroupBy(e => endpoints.Length <= maxTasks ? e.Key : "share-" + Hash(e.Key) % (uint)maxTasks)
            .Select(g => new Part<ModbusConfig>(g.Key, config with { Devices = [.. g.SelectMany(e => e)] }))];
    }

    // FNV-1a: the same in every process, unlike string.GetHashCode.
    static uint Hash(string text) => text.Aggregate(2166136261u, (h, c) => (h ^ c) * 16777619u);
}
