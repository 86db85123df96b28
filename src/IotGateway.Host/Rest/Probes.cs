using System.Globalization;
using System.Text.Json.Nodes;
using IotGateway.Connect.Configs;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;

namespace IotGateway.Host.Rest;

/// <summary>What test, browse and read do with an opened connector.</summary>
delegate ValueTask<JsonObject> ProbeAction(IConnector connector, ConnectorConfig config, ConnectorContext context, CancellationToken ct);

/// <summary>The three looks at a connector by hand. Answers are JSON for REST and CLI alike.</summary>
static class Probes
{
    const int MostNodes = 10_000;

    /// <summary>Opening it was the test; a readable one also shows its first tags.</summary>
    public static async ValueTask<JsonObject> TestAsync(IConnector connector, ConnectorConfig config, ConnectorContext context, CancellationToken ct)
    {
        var answer = new JsonObject { ["connector"] = config.Name, ["plugin"] = config.Plugin.Info.Name, ["connected"] = true };
        if (connector is not IReadable) return answer;
        foreach (var (key, value) in await ReadAsync(connector, config, context, [], ct).ConfigureAwait(false)) answer[key] = value?.DeepClone();
        return answer;
    }

    /// <summary>The children of a node.</summary>
    public static async ValueTask<JsonObject> BrowseAsync(IConnector connector, string? parent, CancellationToken ct)
    {
        if (connector is not IBrowsable browsable) throw new NotSupportedException("This connector cannot be browsed.");
        var nodes = new JsonArray();
        await foreach (var node in browsable.BrowseAsync(parent, ct).ConfigureAwait(false))
        {
            nodes.Add((JsonNode)new JsonObject { ["id"] = node.Id, ["name"] = node.Name, ["hasChildren"] = node.HasChildren, ["type"] = node.Type?.ToString(), ["detail"] = node.Detail });
            if (nodes.Count == MostNodes) break;
        }
        return new JsonObject { ["nodes"] = nodes };
    }

    /// <summary>Fresh readings of the tags named (<c>device/tag</c>), or of the first fifty configured.</summary>
    public static async ValueTask<JsonObject> ReadAsync(IConnector connector, ConnectorConfig config, ConnectorContext context, IReadOnlyList<string> names, CancellationToken ct)
    {
        if (connector is not IReadable readable) throw new NotSupportedException("This connector cannot be read on demand.");
        var known = config.Plugin.Tags(config.Config);
        var chosen = names.Count == 0 ? known.Take(50)
            : names.Select(n => known.FirstOrDefault(t => t.Device + "/" + t.Name == n) ?? throw new ArgumentException($"There is no tag '{n}' in connector '{config.Name}'."));
        var tags = chosen.Select(t => context.Tag(t.Device, t.Name, t.Type, t.Unit)).OfType<Tag>().ToList();
        var readings = await readable.ReadNowAsync(tags, ct).ConfigureAwait(false);
        return new JsonObject
        {
            ["readings"] = new JsonArray([.. readings.Select(r => new JsonObject
            {
                ["device"] = r.Tag.Device,
                ["tag"] = r.Tag.Name,
                ["value"] = r.Quality == Quality.Bad ? null : r.Value.ToString(),
                ["label"] = r.Label,
                ["unit"] = r.Tag.Unit,
                ["quality"] = r.Quality.ToString().ToLower(CultureInfo.InvariantCulture),
                ["status"] = r.Status,
            })]),
        };
    }
}
