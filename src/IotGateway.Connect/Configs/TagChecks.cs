using IotGateway.Connect.Configs.Binding;
using IotGateway.Connect.Configs.Json;
using IotGateway.Connect.Plugins;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Configs;

/// <summary>Checks the tags one configuration names. Places are found by the <c>name</c> of devices and tags, as all connectors write them.</summary>
internal static class TagChecks
{
    public static IReadOnlyList<TagDefinition> List(Plugin plugin, object config, ConfigNode root, CommonOptions common, Report report)
    {
        IReadOnlyList<TagDefinition> tags;
        try
        {
            tags = plugin.Tags(config);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            report.Error(root, "", $"The connector cannot list its tags: {e.Message}", "This is a mistake in the connector; tell its author.");
            return [];
        }
        var repeated = RepeatedDevices(root, report);
        var places = new Places(root);
        var seen = new HashSet<(string, string)>();
        foreach (var tag in tags) CheckTag(tag, seen, repeated, places, report);
        foreach (var tag in tags)
            if (tag.Write?.ReadBack?.Tag is { } readBack && !seen.Contains((tag.Device, readBack)))
                // No error: the tag may be one that is met only at run time.
                report.Warn(places.Of(tag), places.PathOf(tag), $"Tag '{tag.Name}' of device '{tag.Device}' is read back by '{readBack}', which is no tag of that device here.",
                    Nearest.Suggest(readBack, [.. tags.Where(t => t.Device == tag.Device).Select(t => t.Name)]));
        if (tags.Count > common.Limits.Tags)
            report.Error(root["limits"] ?? root, "limits.tags", $"The configuration names {tags.Count} tags, the limit is {common.Limits.Tags}.", "Raise limits.tags or split the connector.");
        if (root["int64"] is null && tags.FirstOrDefault(t => t.Type is DataType.Int64 or DataType.UInt64) is { } wide)
            report.Warn(places.Of(wide), places.PathOf(wide), $"Tag '{wide.Device}/{wide.Name}' has 64 bits; JavaScript and some tools round such numbers above 2^53.",
                "Set \"int64\": \"string\", or \"int64\": \"number\" to keep numbers.");
        return tags;
    }

    static void CheckTag(TagDefinition tag, HashSet<(string, string)> seen, HashSet<string> repeated, Places places, Report report)
    {
        if (string.IsNullOrEmpty(tag.Device) || string.IsNullOrEmpty(tag.Name))
            report.Error(places.Of(tag), places.PathOf(tag), "A device and a tag need a name.", "Give it one.");
        else if (tag.Device.Contains('/', StringComparison.Ordinal))
        {
            if (repeated.Add(tag.Device)) report.Error(places.Of(tag), places.PathOf(tag), $"The device name '{tag.Device}' holds a '/'.", "Use '.', '-' or '_' instead.");
        }
        else if (!seen.Add((tag.Device, tag.Name)) && !repeated.Contains(tag.Device))
            report.Error(places.Of(tag), places.PathOf(tag), $"Device '{tag.Device}' has two tags '{tag.Name}'.", "Rename one of them.");
    }

    // Said once per device here, instead of once for each of its tags.
    static HashSet<string> RepeatedDevices(ConfigNode root, Report report)
    {
        var first = new Dictionary<string, ConfigNode>(StringComparer.Ordinal);
        var repeated = new HashSet<string>(StringComparer.Ordinal);
        var devices = root["devices"]?.Items ?? [];
        for (var i = 0; i < devices.Count; i++)
        {
            if (devices[i]["name"] is not { Kind: NodeKind.String } name || first.TryAdd(name.Text, name)) continue;
            repeated.Add(name.Text);
            report.Error(name, JsonPath.Member(JsonPath.Item("devices", i), "name"), $"Device '{name.Text}' is there twice, in line {first[name.Text].Line} and in line {name.Line}.", "Rename one of them.");
        }
        return repeated;
    }
}
