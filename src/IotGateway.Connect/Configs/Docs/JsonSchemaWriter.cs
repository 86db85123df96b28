using System.Text.Json.Nodes;

namespace IotGateway.Connect.Configs.Docs;

/// <summary>Makes JSON Schema, draft 2020-12, of options. Nested records become <c>$defs</c>. Same declaration, same text.</summary>
internal sealed class JsonSchemaWriter
{
    // Text that holds a reference is judged at load, not by an editor.
    const string Reference = @"\$\{(env|file):[^}]+\}";
    const string DurationPattern = @"^(0|[0-9]+(\.[0-9]+)?(us|ms|s|min|h|d))$";
    const string SizePattern = @"^[0-9]+(\.[0-9]+)? ?(B|KiB|MiB|GiB|TiB|kB|KB|MB|GB|TB)?$";
    const string RatePattern = @"^[1-9][0-9]*/([0-9]+(\.[0-9]+)?)?(us|ms|s|min|h|d)$";
    const string TableName = "tagsFrom";

    readonly JsonObject _definitions = [];
    readonly Dictionary<Type, string> _names = [];

    /// <summary>The schema of a whole file; <paramref name="connector"/> is the only value its <c>connector</c> may have.</summary>
    public static JsonObject Make(ConfigSchema schema, string title, string description, string? connector)
    {
        var writer = new JsonSchemaWriter();
        var body = writer.Object(schema, isRoot: true);
        if (connector is not null) body["properties"]!["connector"]!["const"] = connector;
        var root = new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["$comment"] = "Generated from the declaration of the options by ./gateway plugins; do not edit.",
            ["title"] = title,
            ["description"] = description,
        };
        Merge(root, body);
        if (writer._definitions.Count > 0) root["$defs"] = writer._definitions;
        return root;
    }

    JsonObject Object(ConfigSchema schema, bool isRoot = false)
    {
        var properties = new JsonObject();
        if (isRoot) properties["$schema"] = new JsonObject { ["type"] = "string" };
        foreach (var option in schema.Options) properties[option.Name] = Option(option);
        var made = new JsonObject { ["type"] = "object", ["additionalProperties"] = false };
        if (schema.Options.Any(o => o.Required)) made["required"] = Strings(schema.Options.Where(o => o.Required).Select(o => o.Name));
        made["properties"] = properties;
        return made;
    }

    JsonObject Option(OptionInfo option)
    {
        var made = new JsonObject { ["description"] = option.Doc };
        Merge(made, Type(option.Type, option));
        if (option.Secret)
        {
            made["writeOnly"] = true;
            return made;
        }
        if (ValueText.Default(option) is { } standard) made["default"] = JsonNode.Parse(standard);
        if (ValueText.Example(option) is { } example) made["examples"] = new JsonArray(JsonNode.Parse(example));
        return made;
    }

    JsonObject Type(OptionType type, OptionInfo option) => type.Kind switch
    {
        OptionKind.Bool => new() { ["type"] = "boolean" },
        OptionKind.Integer => Number("integer", type, option),
        OptionKind.Number => Number("number", type, option),
        OptionKind.String => Text(option.Pattern),
        OptionKind.Enum => new() { ["enum"] = Strings(type.Choices) },
        OptionKind.Duration => Text(DurationPattern),
        OptionKind.Rate => Text(RatePattern),
        OptionKind.Size => new() { ["anyOf"] = new JsonArray(Text(SizePattern), new JsonObject { ["type"] = "integer", ["minimum"] = 0 }) },
        OptionKind.Endpoints => new() { ["anyOf"] = new JsonArray(Text(null), new JsonObject { ["type"] = "array", ["minItems"] = 1, ["items"] = Text(null) }) },
        OptionKind.Scalar => new() { ["type"] = Strings(["string", "number", "boolean", "null"]) },
        OptionKind.Object => new() { ["$ref"] = "#/$defs/" + Define(type.Schema!) },
        OptionKind.List => new() { ["type"] = "array", ["items"] = Item(type.Item!, option) },
        _ => new() { ["type"] = "object", ["additionalProperties"] = Type(type.Item!, option) },
    };

    // A list of things that have tags takes a table in place of entries.
    JsonObject Item(OptionType type, OptionInfo option)
    {
        var item = Type(type, option);
        if (!TagsFrom.Takes(type)) return item;
        _definitions[TableName] ??= new JsonObject
        {
            ["type"] = "object",
            ["description"] = "Entries read from a CSV table.",
            ["additionalProperties"] = false,
            ["required"] = Strings([TagsFrom.Key]),
            ["properties"] = new JsonObject { [TagsFrom.Key] = new JsonObject { ["type"] = "string", ["description"] = TagsFrom.Doc } },
        };
        return new() { ["anyOf"] = new JsonArray(item, new JsonObject { ["$ref"] = "#/$defs/" + TableName }) };
    }

    string Define(ConfigSchema schema)
    {
        if (_names.TryGetValue(schema.Type, out var known)) return known;
        var stem = char.ToLowerInvariant(schema.Type.Name[0]) + schema.Type.Name[1..];
        var name = stem;
        for (var i = 2; _definitions.ContainsKey(name) || name == TableName; i++) name = stem + i;
        _names[schema.Type] = name;
        // Its place is taken before it is made, because it may nest itself.
        _definitions[name] = null;
        _definitions[name] = Object(schema);
        return name;
    }

    static JsonObject Number(string kind, OptionType type, OptionInfo option)
    {
        var made = new JsonObject { ["type"] = kind };
        if ((option.Min ?? Bound(type.Clr, "MinValue")) is { } min) made["minimum"] = JsonNode.Parse(min);
        if ((option.Max ?? Bound(type.Clr, "MaxValue")) is { } max) made["maximum"] = JsonNode.Parse(max);
        return made;
    }

    // Limits of 32 bits and more help nobody in an editor, but that unsigned numbers begin at 0.
    static string? Bound(Type type, string which)
        => type == typeof(byte) || type == typeof(sbyte) || type == typeof(short) || type == typeof(ushort)
            || which == "MinValue" && (type == typeof(uint) || type == typeof(ulong))
            ? type.GetField(which)!.GetValue(null)!.ToString()
            : null;

    static JsonObject Text(string? pattern)
    {
        var made = new JsonObject { ["type"] = "string" };
        if (pattern is not null) made["pattern"] = $"({pattern})|{Reference}";
        return made;
    }

    static JsonArray Strings(IEnumerable<string> texts) => [.. texts.Select(t => (JsonNode)t)];

    static void Merge(JsonObject target, JsonObject from)
    {
        foreach (var (name, node) in from.ToList())
        {
            from.Remove(name);
            target[name] = node;
        }
    }
}
