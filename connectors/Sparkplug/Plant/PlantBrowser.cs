using IotGateway.Connectors.Sparkplug.Wire;
using IotGateway.Sdk;

namespace IotGateway.Connectors.Sparkplug.Plant;

/// <summary>Edge nodes, their devices and metrics as nodes to browse. Pure.</summary>
static class PlantBrowser
{
    /// <summary>The children of <c>null</c> (edge nodes), <c>group/edge</c> (devices and metrics) or <c>group/edge/device</c> (metrics).</summary>
    /// <exception cref="ArgumentException">There is no such parent.</exception>
    public static IReadOnlyList<BrowseNode> Children(IReadOnlyCollection<EdgeNode> edges, string? parent)
    {
        if (parent is null) return [.. edges.OrderBy(e => e.Node.Name, StringComparer.Ordinal).Select(OfEdge)];
        var levels = parent.Split('/', 3);
        var edge = levels.Length < 2 ? null : edges.FirstOrDefault(e => e.Key == new EdgeKey(levels[0], levels[1]));
        if (edge?.Find(levels.Length == 3 ? levels[2] : null) is not { } device)
            throw new ArgumentException($"There is no '{parent}'. Browse without a parent to see the edge nodes, then below GROUP/EDGE or GROUP/EDGE/DEVICE.", nameof(parent));
        var metrics = device.Points.OrderBy(p => p.Name, StringComparer.Ordinal).Select(p => OfMetric(device, p));
        return device.Id is not null ? [.. metrics] : [.. edge.Devices.OrderBy(d => d.Name, StringComparer.Ordinal).Select(d => OfDevice(edge, d)), .. metrics];
    }

    static BrowseNode OfEdge(EdgeNode edge)
        => new(edge.Key.ToString(), edge.Node.Name, HasChildren: true, null, $"edge node, {State(edge.Node)}, {edge.Devices.Count} devices, {edge.Node.Points.Count} metrics");

    static BrowseNode OfDevice(EdgeNode edge, PlantDevice device)
        => new($"{edge.Key}/{device.Id}", device.Name, HasChildren: true, null, $"device, {State(device)}, {device.Points.Count} metrics");

    static BrowseNode OfMetric(PlantDevice device, MetricPoint point)
        => new($"{device.Name}/{point.Name}", point.Name, HasChildren: false, point.Type.ToDataType(), $"{point.Type}{(point.Tag?.Unit is { } unit ? $", {unit}" : "")}{(point.Alias is { } alias ? $", alias {alias}" : "")}");

    static string State(PlantDevice device) => device.Alive ? "online" : device.Points.Count == 0 ? "no birth seen" : "offline";
}
