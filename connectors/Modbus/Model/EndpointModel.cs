using IotGateway.Connectors.Modbus.Client;

namespace IotGateway.Connectors.Modbus.Model;

/// <summary>One endpoint and the devices behind it.</summary>
/// <param name="Settings">How it is reached.</param>
/// <param name="Devices">Its enabled devices.</param>
internal sealed record EndpointModel(BusSettings Settings, IReadOnlyList<DeviceModel> Devices);
