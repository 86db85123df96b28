namespace IotGateway.Connect.Configs;

/// <summary>What a newly read set of connectors changes against the running one. Matching is by name, change by content hash.</summary>
/// <param name="Added">New names.</param>
/// <param name="Removed">Names that are gone, as they were.</param>
/// <param name="Changed">Same name, other content.</param>
/// <param name="Unchanged">Same name and content, as they were.</param>
public sealed record ConfigDiff(
    IReadOnlyList<ConnectorConfig> Added,
    IReadOnlyList<ConnectorConfig> Removed,
    IReadOnlyList<(ConnectorConfig Before, ConnectorConfig After)> Changed,
    IReadOnlyList<ConnectorConfig> Unchanged)
{
    /// <summary>Whether nothing is to be done.</summary>
    public bool IsEmpty => Added.Count + Removed.Count + Changed.Count == 0;

    /// <summary>Compares two sets, each with unique names.</summary>
    public static ConfigDiff Between(IReadOnlyList<ConnectorConfig> before, IReadOnlyList<ConnectorConfig> after)
    {
        var old = before.ToDictionary(c => c.Name);
        var now = after.ToDictionary(c => c.Name);
        var both = before.Where(c => now.ContainsKey(c.Name)).ToLookup(c => c.ContentHash == now[c.Name].ContentHash && c.Plugin.Info.Name == now[c.Name].Plugin.Info.Name);
        return new(
            [.. after.Where(c => !old.ContainsKey(c.Name))],
            [.. before.Where(c => !now.ContainsKey(c.Name))],
            [.. both[false].Select(c => (c, now[c.Name]))],
            [.. both[true]]);
    }
}
