using IotGateway.Connect.Configs.Binding;

namespace IotGateway.Connect.Configs;

/// <summary>Holds device names unique in a gateway. Disabled connectors do not count, so that a spare file can lie beside.</summary>
internal sealed class DeviceNames(Report report)
{
    readonly Dictionary<string, ConnectorConfig> _owners = new(StringComparer.Ordinal);

    /// <summary>Takes the devices of a connector known to be valid.</summary>
    public void Add(ConnectorConfig connector)
    {
        if (!connector.Common.Enabled) return;
        foreach (var device in connector.Plugin.Tags(connector.Config).Select(t => t.Device).Distinct()) _owners.TryAdd(device, connector);
    }

    /// <summary>Takes the devices of a connector just read; one that another connector has already makes it invalid.</summary>
    public void Check(ReadConnector read)
    {
        if (!read.Config.Common.Enabled) return;
        var places = new Places(read.Root);
        foreach (var device in read.Tags.Select(t => t.Device).Where(d => !string.IsNullOrEmpty(d)).Distinct())
        {
            if (_owners.TryAdd(device, read.Config)) continue;
            var (node, path) = places.OfDevice(device);
            report.Error(node["name"] ?? node, path, $"Device '{device}' is already one of connector '{_owners[device].Name}' ({_owners[device].File}); device names are unique in a gateway.", "Rename one of them.");
            read.IsValid = false;
        }
    }
}
