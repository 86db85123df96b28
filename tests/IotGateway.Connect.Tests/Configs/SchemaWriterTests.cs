using System.Text.Json;
using IotGateway.Connect.Configs;
using IotGateway.Connect.Plugins;
using IotGateway.Sdk;
using IotGateway.Sdk.Config;

namespace IotGateway.Connect.Tests.Configs;

public sealed class SchemaWriterTests
{
    static readonly Plugin Bench = Plugin.From(new BenchFactory());
    static readonly Plugin Drain = Plugin.From(new DrainFactory());

    static JsonElement Schema(Plugin plugin) => JsonDocument.Parse(SchemaWriter.JsonSchema(plugin)).RootElement;

    [Fact]
    public void Describes_every_option()
    {
        var schema = Schema(Bench);
        Assert.Equal(("https://json-schema.org/draft/2020-12/schema", false), (schema.GetProperty("$schema").GetString(), schema.GetProperty("additionalProperties").GetBoolean()));
        Assert.Equal(["connector", "endpoint", "devices"], schema.GetProperty("required").EnumerateArray().Select(e => e.GetString()));
        var properties = schema.GetProperty("properties");
        Assert.All(Bench.Schema.Options, o => Assert.Equal(o.Doc, properties.GetProperty(o.Name).GetProperty("description").GetString()));
        Assert.Equal("bench", properties.GetProperty("connector").GetProperty("const").GetString());
        Assert.Equal("\"1s\"", properties.GetProperty("every").GetProperty("default").GetRawText());
        Assert.Equal("""["ABCD","CDAB","DCBA"]""", JsonSerializer.Serialize(properties.GetProperty("order").GetProperty("enum")));
        Assert.Equal("255", properties.GetProperty("small").GetProperty("maximum").GetRawText());
        Assert.Equal("100", properties.GetProperty("times").GetProperty("items").GetProperty("maximum").GetRawText());
        Assert.True(properties.GetProperty("password").GetProperty("writeOnly").GetBoolean());
        var device = schema.GetProperty("$defs").GetProperty("benchDevice");
        Assert.Equal("[\"name\"]", device.GetProperty("required").GetRawText().ReplaceLineEndings("").Replace(" ", "", StringComparison.Ordinal));
        Assert.True(schema.GetProperty("$defs").TryGetProperty("writeRule", out _));
        Assert.True(schema.GetProperty("$defs").TryGetProperty("tagsFrom", out _));
    }

    [Fact]
    public void Gives_sinks_and_sources_their_own_common_options()
    {
        Assert.NotNull(Bench.Schema.Find("timeFormat"));
        Assert.Null(Bench.Schema.Find("startFrom"));
        Assert.NotNull(Drain.Schema.Find("startFrom"));
        Assert.Null(Drain.Schema.Find("timeFormat"));
        Assert.False(Drain.Schema.Find("format")!.Common);
        Assert.Equal("How lines are separated.", Drain.Schema.Find("format")!.Doc);
    }

    [Theory]
    [InlineData("every", "250ms", true)]
    [InlineData("every", "5 minutes", false)]
    [InlineData("every", "${env:EVERY}", true)]
    [InlineData("rate", "10/min", true)]
    [InlineData("rate", "1/10s", true)]
    [InlineData("rate", "fast", false)]
    public void Patterns_accept_what_the_gateway_accepts(string option, string text, bool accepted)
        => Assert.Equal(accepted, System.Text.RegularExpressions.Regex.IsMatch(text, Schema(Bench).GetProperty("properties").GetProperty(option).GetProperty("pattern").GetString()!));

    [Fact]
    public void Writes_a_sample_that_is_valid()
    {
        using var bench = new ConfigBench();
        foreach (var full in new[] { false, true })
        {
            bench.Write("password.secret", "x");
            bench.Connector("bench", SchemaWriter.Sample(Bench, full)).Connector("drain", SchemaWriter.Sample(Drain, full));
            Assert.Empty(bench.Load().Problems);
        }
        Assert.Equal("""
            {
              "$schema": "../schema/bench.schema.json",
              "connector": "bench",
              "endpoint": "tcp://127.0.0.1:502",
              "every": "500ms",
              "devices": [
                {
                  "name": "press1",
                  "unitId": 1,
                  "tags": [
                    {
                      "name": "temperature",
                      "type": "float32"
                    }
                  ]
                }
              ]
            }

            """, SchemaWriter.Sample(Bench));
    }

    [Fact]
    public void Writes_a_table_of_the_connectors_own_options()
    {
        var table = SchemaWriter.ReadmeTable(Drain);
        Assert.Equal("""
            | option | type | default | what it is |
            |---|---|---|---|
            | `connector` | text | **required** | Which plugin runs it. |
            | `to` | text | **required** | Where to. |
            | `format` | `newline` \| `comma` | `"newline"` | How lines are separated. |
            | `topic` | text | `"${gateway}.${topic}"` | Name at the other end. |

            As in every connector: `description`, `enabled`, `tasks`, `retry`, `openTimeout`, `batch`, `topics`, `startFrom`, `pin`.

            """, table);
        Assert.Contains("| `devices[].tags[].write.min` | number |", SchemaWriter.ReadmeTable(Bench), StringComparison.Ordinal);
        Assert.Contains("| `every` | duration, 10ms to 1h | `\"1s\"` | Pause between polls. Example: `\"500ms\"`. |", SchemaWriter.ReadmeTable(Bench), StringComparison.Ordinal);
    }

    [Fact]
    public void Replaces_the_table_between_its_markers_or_adds_it()
    {
        var added = SchemaWriter.UpdateReadme("# Drain\n", Drain);
        Assert.StartsWith("# Drain\n\n## Options\n\n<!-- options -->\n| option |", added, StringComparison.Ordinal);
        Assert.Equal(added + "tail", SchemaWriter.UpdateReadme(added.Replace("Where to.", "old", StringComparison.Ordinal) + "tail", Drain));
    }

    [Fact]
    public void Survives_records_that_nest_themselves()
    {
        var schema = ConfigSchema.For(typeof(Branch));
        Assert.Equal(["name", "branches"], schema.All().Select(o => o.Path));
        Assert.Contains("#/$defs/branch", SchemaWriter.JsonSchema(Plugin.From(new BranchFactory())), StringComparison.Ordinal);
    }

    [Fact]
    public void Says_which_property_is_declared_wrongly()
    {
        Assert.Equal("Option WrongType.When has the type System.DateTime, which no option can have.", Assert.Throws<InvalidOperationException>(() => ConfigSchema.For(typeof(WrongType))).Message);
        Assert.Equal("Option WrongSetter.Name needs a set or init accessor.", Assert.Throws<InvalidOperationException>(() => ConfigSchema.For(typeof(WrongSetter))).Message);
        Assert.StartsWith("The configuration record Positional needs a public parameterless constructor", Assert.Throws<InvalidOperationException>(() => ConfigSchema.For(typeof(Positional))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_gateways_schema_and_example_in_the_repository_are_current()
    {
        var root = Root();
        Assert.Equal(SchemaWriter.GatewayJsonSchema(), File.ReadAllText(Path.Combine(root, "config/schema/gateway.schema.json")));
        using var bench = new ConfigBench();
        bench.Write("gateway.json", File.ReadAllText(Path.Combine(root, "config/gateway.json")));
        Assert.Empty(bench.Load().Problems);
    }

    [Fact]
    public void The_listeners_in_the_brokers_README_are_valid()
    {
        var readme = File.ReadAllText(Path.Combine(Root(), "src/IotGateway.Broker/README.md"));
        var start = readme.IndexOf("```jsonc\n\"broker\": {", StringComparison.Ordinal) + "```jsonc\n".Length;
        using var bench = new ConfigBench();
        bench.Write("admin.secret", "secret").Write("gateway.json", "{ \"name\": \"g\", " + readme[start..readme.IndexOf("```", start, StringComparison.Ordinal)] + "}");
        Assert.Empty(bench.Load().Problems);
        Assert.Equal(3, bench.Load().Gateway.Broker.Listeners.Count);
    }

    static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "IotGateway.sln"))) folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("Not run inside the repository.");
        return folder;
    }

    sealed record Branch
    {
        [Option("Name.")]
        public string Name { get; init; } = "";

        [Option("Branches.")]
        public IReadOnlyList<Branch> Branches { get; init; } = [];
    }

    sealed record Tree
    {
        [Option("Root.")]
        public Branch Root { get; init; } = new();
    }

    sealed class BranchFactory : IConnectorFactory<Tree>
    {
        public ConnectorInfo Info { get; } = new("tree", "Nests.", ConnectorRoles.Source);
        public IConnector Create(Tree config, ConnectorContext context) => throw new NotSupportedException("Configured only.");
    }

    sealed record WrongType
    {
        [Option("When.")]
        public DateTime When { get; init; }
    }

    sealed record WrongSetter
    {
        [Option("Name.")]
        public string Name => "x";
    }

    sealed record Positional([property: Option("Name.")] string Name);
}
