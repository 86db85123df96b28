using System.Text.Json;
using System.Text.Json.Nodes;

namespace IotGateway.Host.Hosting;

/// <summary>Which changes of gateway.json have to wait for a start. Pure.</summary>
static class GatewayChanges
{
    /// <summary>What is put in force while the gateway runs.</summary>
    static readonly string[] Live = ["topics", "broker.users", "broker.acls", "broker.autoCreateTopics", "broker.defaultPartitions", "broker.maxConnections", "description"];

    static readonly JsonDocumentOptions Lenient = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    /// <summary>Keys whose values differ and that only a start reads, as they are written in paths: <c>broker.listen</c>. A list is one value.</summary>
    public static IReadOnlyList<string> ForRestart(string before, string after)
    {
        var keys = new List<string>();
        Compare("", Parse(before), Parse(after), keys);
        return keys;
    }

    static JsonNode? Parse(string text) => string.IsNullOrWhiteSpace(text) ? null : JsonNode.Parse(text, null, Lenient);

    static void Compare(string path, JsonNode? before, JsonNode? after, List<string> keys)
    {
        if (Live.Contains(path) || JsonNode.DeepEquals(before, after)) return;
        if (Opened(before) is not { } one || Opened(after) is not { } other)
        {
            keys.Add(path.Length > 0 ? path : "all of it");
            return;
        }
        foreach (var key in one.Select(p => p.Key).Union(other.Select(p => p.Key)))
            Compare(path.Length > 0 ? $"{path}.{key}" : key, one[key], other[key], keys);
    }

    /// <summary>What is not there has no keys.</summary>
    static JsonObject? Opened(JsonNode? node) => node is null ? [] : node as JsonObject;
}
