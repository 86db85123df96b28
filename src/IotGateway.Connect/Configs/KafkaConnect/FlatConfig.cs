using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using IotGateway.Connect.Configs.Json;

namespace IotGateway.Connect.Configs.KafkaConnect;

/// <summary>
/// A connector's file as Kafka Connect's flat map of texts, and back. Options of nested objects have dotted keys; lists of scalars are
/// separated by commas; lists and dictionaries of objects are JSON. <c>connector</c> is <c>connector.class</c>, <c>tasks</c> is <c>tasks.max</c>.
/// Pure; never throws for content: what fits nowhere is kept as it is, so that validation names it.
/// </summary>
public static class FlatConfig
{
    static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    static readonly JsonSerializerOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // What is put into a file stays below the depth a file may have.
    static readonly JsonDocumentOptions Limited = new() { MaxDepth = ConfigReader.MaxDepth - 16 };

    /// <summary>The file's text. <c>name</c> is left out: it is the file's name.</summary>
    public static string ToJson(ConfigSchema schema, IReadOnlyDictionary<string, string?> flat)
    {
        var root = new JsonObject();
        foreach (var (key, value) in flat)
            if (key != "name") Put(root, schema, Ours(key), value);
        return root.ToJsonString(Indented) + "\n";
    }

    /// <summary>The flat map of a file's text, references unresolved, with <c>name</c>; only the name when it is no JSON object.</summary>
    public static IReadOnlyDictionary<string, string?> FromJson(ConfigSchema schema, string name, string json)
    {
        var flat = new SortedDictionary<string, string?>(StringComparer.Ordinal) { ["name"] = name };
        if (ConfigReader.Read(name, json, new List<ConfigProblem>()) is { Kind: NodeKind.Object } root) Flatten(root, schema, "", flat);
        flat.Remove("$schema");
        return flat;
    }

    /// <summary>Our key of a Kafka Connect key.</summary>
    internal static string Ours(string key) => key switch { "connector.class" => "connector", "tasks.max" => "tasks", _ => key };

    /// <summary>The Kafka Connect key of ours.</summary>
    internal static string Theirs(string key) => key switch { "connector" => "connector.class", "tasks" => "tasks.max", _ => key };

    static void Put(JsonObject target, ConfigSchema schema, string key, string? value)
    {
        var option = schema.Find(key);
        var dot = key.IndexOf('.', StringComparison.Ordinal);
        if (option is null && dot > 0 && schema.Find(key[..dot]) is { Type: { Kind: OptionKind.Object, Schema: { } inner } })
        {
            if (target[key[..dot]] is not JsonObject nested) target[key[..dot]] = nested = [];
            Put(nested, inner, key[(dot + 1)..], value);
            return;
        }
        target[key] = value is null ? null : Node(value, option?.Type);
    }

    static JsonNode? Node(string text, OptionType? type)
    {
        switch (type?.Kind)
        {
            case OptionKind.Bool or OptionKind.Integer or OptionKind.Number or OptionKind.Scalar:
                return Parse(text) is JsonValue scalar && scalar.GetValueKind() is JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False ? Parse(text) : text;
            case OptionKind.Object or OptionKind.Dictionary:
                return Parse(text) as JsonObject ?? (JsonNode)text;
            case OptionKind.List or OptionKind.Endpoints when Parse(text) is JsonArray list:
                return list;
            case OptionKind.List when type.Item!.Kind is not (OptionKind.Object or OptionKind.List or OptionKind.Dictionary):
                return new JsonArray([.. Split(text).Select(t => Node(t, type.Item))]);
            case OptionKind.Endpoints when text.Contains(',', StringComparison.Ordinal):
                return new JsonArray([.. Split(text).Select(t => (JsonNode)t)]);
            default:
                return text;
        }
    }

    static string[] Split(string text) => text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    static JsonNode? Parse(string text)
    {
        try
        {
            return JsonNode.Parse(text, documentOptions: Limited);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    static void Flatten(ConfigNode node, ConfigSchema schema, string path, SortedDictionary<string, string?> flat)
    {
        foreach (var member in node.Members)
        {
            var type = schema.Find(member.Name)?.Type;
            var key = path.Length == 0 ? Theirs(member.Name) : path + "." + member.Name;
            if (type is { Kind: OptionKind.Object, Schema: { } inner } && member.Value.Kind == NodeKind.Object) Flatten(member.Value, inner, key, flat);
            else flat[key] = Text(member.Value);
        }
    }

    static string? Text(ConfigNode node) => node.Kind switch
    {
        NodeKind.Null => null,
        NodeKind.List when node.Items.TrueForAll(i => i.Kind is NodeKind.String or NodeKind.Number or NodeKind.Bool && !i.Text.Contains(',', StringComparison.Ordinal))
            => string.Join(",", node.Items.Select(i => i.Text)),
        NodeKind.List or NodeKind.Object => Tree(node)!.ToJsonString(Compact),
        _ => node.Text,
    };

    static JsonNode? Tree(ConfigNode node) => node.Kind switch
    {
        NodeKind.Object => new JsonObject(node.Members.Select(m => KeyValuePair.Create(m.Name, Tree(m.Value)))),
        NodeKind.List => new JsonArray([.. node.Items.Select(Tree)]),
        NodeKind.String => node.Text,
        _ => JsonNode.Parse(node.Text),
    };
}
