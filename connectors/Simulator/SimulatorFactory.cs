using IotGateway.Sdk;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Simulator;

/// <summary>The face of the plugin: the runtime finds it because it is public and closes the interface.</summary>
public sealed class SimulatorFactory : IConnectorFactory<SimulatorConfig>
{
    /// <inheritdoc/>
    public ConnectorInfo Info { get; } = new("simulator", "Simulates a line of presses that serve Modbus TCP and write a log file.", ConnectorRoles.Source);

    /// <inheritdoc/>
    public IConnector Create(SimulatorConfig config, ConnectorContext context) => new SimulatorConnector(config, context);

    /// <inheritdoc/>
    public IEnumerable<TagDefinition> Tags(SimulatorConfig config) => [new(config.Device, SimulatorConnector.RequestsTag, DataType.UInt32, null, null)];
}
