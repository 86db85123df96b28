namespace IotGateway.Connectors.Sparkplug.Plant;

/// <summary>Names of edge nodes and devices in the gateway, by template. Two that would have the same name do not: the second is refused. One thread.</summary>
/// <param name="ofNode">Template for edge nodes.</param>
/// <param name="ofDevice">Template for devices.</param>
sealed class DeviceNames(string ofNode, string ofDevice)
{
    const int Most = 200_000; // a broker that makes up devices is not to fill the memory

    readonly Dictionary<string, (EdgeKey Edge, string? Device)> _taken = new(StringComparer.Ordinal);

    /// <summary>The name; null and a sentence when another has it.</summary>
    public string? Take(EdgeKey edge, string? device, out string? error)
    {
        error = null;
        var name = Expand(edge, device);
        if (_taken.TryGetValue(name, out var owner) && owner != (edge, device))
        {
            error = $"'{edge}{(device is null ? "" : "/" + device)}' would be device '{name}' here, which '{owner.Edge}{(owner.Device is null ? "" : "/" + owner.Device)}' is already. Change 'node' or 'device' so that their names differ.";
            return null;
        }
        if (_taken.Count >= Most && !_taken.ContainsKey(name))
        {
            error = $"There are more than {Most} edge nodes and devices.";
            return null;
        }
        _taken[name] = (edge, device);
        return name;
    }

    // Text from data is put in once and never expanded again. A name never holds a slash: topics were cut at them.
    string Expand(EdgeKey edge, string? device)
    {
        var text = new System.Text.StringBuilder();
        var template = device is null ? ofNode : ofDevice;
        for (var at = 0; at < template.Length;)
        {
            var open = template.IndexOf("${", at, StringComparison.Ordinal);
            var close = open < 0 ? -1 : template.IndexOf('}', open);
            if (close < 0) return text.Append(template, at, template.Length - at).ToString();
            text.Append(template, at, open - at).Append(template[(open + 2)..close] switch { "group" => edge.Group, "edge" => edge.Edge, _ => device });
            at = close + 1;
        }
        return text.ToString();
    }
}
