using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using IotGateway.Connect.Configs.Docs;
using IotGateway.Connect.Plugins;

namespace IotGateway.Connect.Configs;

/// <summary>
/// What is derived from a declaration of options: JSON Schema, README table, sample. Deterministic, LF line ends, a newline at the
/// end, so that a check can compare files byte by byte. Pure.
/// </summary>
public static class SchemaWriter
{
    static readonly JsonSerializerOptions Options = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>JSON Schema of a connector's file, for <c>config/schema/NAME.schema.json</c>.</summary>
    public static string JsonSchema(Plugin plugin)
        => Text(JsonSchemaWriter.Make(plugin.Schema, plugin.Info.Name + " connector", plugin.Info.Summary, plugin.Info.Name));

    /// <summary>JSON Schema of gateway.json, for <c>config/schema/gateway.schema.json</c>.</summary>
    public static string GatewayJsonSchema()
        => Text(JsonSchemaWriter.Make(ConfigSchema.Gateway, "gateway", "The gateway itself: its name, log, listeners and rules.", connector: null));

    /// <summary>The table of a connector's own options in Markdown, and where the others are.</summary>
    public static string ReadmeTable(Plugin plugin)
    {
        var common = plugin.Schema.Options.Where(o => o is { Common: true, Name: not "connector" }).Select(o => $"`{o.Name}`");
        return OptionTable.Make(plugin.Schema, withCommon: false) + "\nAs in every connector: " + string.Join(", ", common) + ".\n";
    }

    /// <summary>The table of the options that every connector with these abilities has, from any of them.</summary>
    public static string CommonTable() => OptionTable.Make(ConfigSchema.For(typeof(CommonOptions)), withCommon: true);

    /// <summary>The table of gateway.json.</summary>
    public static string GatewayTable() => OptionTable.Make(ConfigSchema.Gateway, withCommon: true);

    /// <summary>A README with the table put between <c>&lt;!-- options --&gt;</c> and <c>&lt;!-- /options --&gt;</c>, or added as a section.</summary>
    public static string UpdateReadme(string readme, Plugin plugin) => OptionTable.Replace(readme, ReadmeTable(plugin));

    /// <summary>A first configuration; <paramref name="full"/>: every option there is.</summary>
    public static string Sample(Plugin plugin, bool full = false) => Text(SampleWriter.Make(plugin, full));

    static string Text(JsonNode node) => node.ToJsonString(Options) + "\n";
}
