using IotGateway.Connect.Configs.Json;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Configs;

/// <summary>Finds where a device or tag is written: the objects of <c>devices</c> and their <c>tags</c> by <c>name</c>; else the root.</summary>
internal sealed class Places
{
    readonly ConfigNode _root;
    readonly Dictionary<string, (ConfigNode Node, string Path)> _devices = new(StringComparer.Ordinal);

    public Places(ConfigNode root)
    {
        _root = root;
        var devices = root["devices"]?.Items ?? [];
        for (var i = 0; i < devices.Count; i++)
            if (devices[i]["name"] is { Kind: NodeKind.String } name) _devices.TryAdd(name.Text, (devices[i], JsonPath.Item("devices", i)));
    }

    public ConfigNode Of(TagDefinition tag) => Find(tag).Node;

    public string PathOf(TagDefinition tag) => Find(tag).Path;

    public (ConfigNode Node, string Path) OfDevice(string device) => _devices.TryGetValue(device ?? "", out var found) ? found : (_root, "");

    (ConfigNode Node, string Path) Find(TagDefinition tag)
    {
        var (device, path) = OfDevice(tag.Device);
        var tags = device["tags"]?.Items ?? [];
        // The last one of that name: where two have it, the second is the surprise.
        var index = tags.FindLastIndex(t => t["name"] is { Kind: NodeKind.String } name && name.Text == tag.Name);
        return index < 0 ? (device, path) : (tags[index], JsonPath.Item(JsonPath.Member(path, "tags"), index));
    }
}
