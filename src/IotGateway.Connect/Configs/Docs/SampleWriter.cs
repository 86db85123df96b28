using System.Text.Json.Nodes;
using IotGateway.Connect.Plugins;

namespace IotGateway.Connect.Configs.Docs;

/// <summary>Makes a first configuration of a connector: everything required, and what has an example and is often needed.</summary>
internal static class SampleWriter
{
    public static JsonObject Make(Plugin plugin, bool full)
    {
        var sample = new JsonObject { ["$schema"] = $"../schema/{plugin.Info.Name}.schema.json", ["connector"] = plugin.Info.Name };
        foreach (var option in plugin.Schema.Options.Where(o => o.Name != "connector" && (full || Belongs(o)))) sample[option.Name] = Value(option, full);
        return sample;
    }

    // The runtime's own options have good defaults; they are in the schema, not in a first sample.
    static bool Belongs(OptionInfo option) => option.Required || !option.Advanced && option.Example is not null && !(option.Common && option.Name != "topics");

    static JsonNode? Value(OptionInfo option, bool full)
    {
        if (ValueText.Example(option) is { } example) return JsonNode.Parse(example);
        if (ValueText.Default(option) is { } standard) return JsonNode.Parse(standard);
        return Placeholder(option.Type, option, full);
    }

    static JsonNode? Placeholder(OptionType type, OptionInfo option, bool full) => type.Kind switch
    {
        OptionKind.Bool => false,
        OptionKind.Integer or OptionKind.Number => JsonNode.Parse(option.Min ?? "1"),
        OptionKind.Enum => type.Choices[0],
        OptionKind.Duration => option.Min ?? "1s",
        OptionKind.Size => option.Min ?? "1MiB",
        OptionKind.Rate => "1/s",
        OptionKind.String when option.Secret => $"${{file:{option.Name}.secret}}",
        OptionKind.String or OptionKind.Endpoints or OptionKind.Scalar => option.Name,
        OptionKind.Object => Object(type.Schema!, full),
        OptionKind.List => new JsonArray(Placeholder(type.Item!, option, full)),
        _ => new JsonObject { ["name"] = Placeholder(type.Item!, option, full) },
    };

    static JsonObject Object(ConfigSchema schema, bool full)
    {
        var made = new JsonObject();
        foreach (var option in schema.Options.Where(o => Belongs(o) || full && !Nests(o, schema))) made[option.Name] = Value(option, full);
        return made;
    }

    static bool Nests(OptionInfo option, ConfigSchema schema)
    {
        for (var type = option.Type; type is not null; type = type.Item)
            if (type.Schema is { } inner && inner.Type == schema.Type) return true;
        return false;
    }
}
