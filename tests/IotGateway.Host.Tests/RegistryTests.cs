using IotGateway.Connect.Configs;
using IotGateway.Connect.Plugins;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Host.Tests;

/// <summary>Every plugin that is built is documented, and what is documented is what is built. A new connector is included by being there.</summary>
public sealed class RegistryTests
{
    static readonly string Root = Find();
    static readonly PluginCatalog Catalog = PluginCatalog.Load(Path.Combine(Root, "plugins"), NullLogger.Instance);

    public static TheoryData<string> Plugins() => [.. Catalog.All.Select(p => p.Info.Name)];

    [Fact]
    public void Every_connector_folder_is_a_plugin_without_problems()
    {
        Assert.Empty(Catalog.Problems);
        Assert.Equal(Directory.EnumerateDirectories(Path.Combine(Root, "connectors")).Select(d => Path.GetFileName(d)).Order(StringComparer.Ordinal),
            Catalog.All.Select(p => p.AssemblyName).Distinct().Order(StringComparer.Ordinal));
    }

    [Theory, MemberData(nameof(Plugins))]
    public void The_README_shows_the_options_as_they_are(string name)
    {
        var plugin = Catalog.Find(name)!;
        var readme = File.ReadAllText(Path.Combine(Root, "connectors", plugin.AssemblyName, "README.md"));
        var own = Own(plugin);
        var table = Between(readme, $"<!-- options{own} -->", $"<!-- /options{own} -->");
        Assert.True(table == SchemaWriter.ReadmeTable(plugin).Trim(), $"connectors/{plugin.AssemblyName}/README.md is stale: eng/docs renews it.");
    }

    [Theory, MemberData(nameof(Plugins))]
    public void The_sample_is_generated_and_valid(string name)
    {
        var plugin = Catalog.Find(name)!;
        var sample = File.ReadAllText(Path.Combine(Root, "connectors", plugin.AssemblyName, $"sample{Own(plugin).Replace(' ', '-')}.json"));
        Assert.True(sample == SchemaWriter.Sample(plugin), $"connectors/{plugin.AssemblyName}/sample.json is stale: eng/docs renews it.");
    }

    [Theory, MemberData(nameof(Plugins))]
    public void The_schema_in_the_configuration_folder_is_current(string name)
    {
        var path = Path.Combine(Root, "config/schema", name + ".schema.json");
        Assert.True(File.ReadAllText(path) == SchemaWriter.JsonSchema(Catalog.Find(name)!), $"{path} is stale: eng/docs renews it.");
    }

    [Fact]
    public void The_gateway_schema_is_current()
        => Assert.True(File.ReadAllText(Path.Combine(Root, "config/schema/gateway.schema.json")) == SchemaWriter.GatewayJsonSchema(), "config/schema/gateway.schema.json is stale: eng/docs renews it.");

    [Fact]
    public void The_example_configuration_is_valid()
    {
        var loaded = ConfigFolder.Load(Path.Combine(Root, "config"), Catalog);
        Assert.DoesNotContain(loaded.Problems, p => p.Severity == Severity.Error);
        Assert.NotEmpty(loaded.Connectors);
    }

    [Theory, MemberData(nameof(Plugins))]
    public void Every_option_says_what_it_is(string name)
        => Assert.All(Catalog.Find(name)!.Schema.Options, o => Assert.Matches(@"^\S.{5,}\.$", o.Doc));

    /// <summary>Every configuration a connector's README shows can be copied.</summary>
    [Theory, MemberData(nameof(Assemblies))]
    public void The_examples_in_the_README_are_valid(string assembly)
    {
        var folder = Directory.CreateTempSubdirectory("iotgateway-examples-").FullName;
        var connectors = Directory.CreateDirectory(Path.Combine(folder, "connectors")).FullName;
        File.WriteAllText(Path.Combine(folder, "gateway.json"), """{ "name": "examples" }""");
        var blocks = File.ReadAllText(Path.Combine(Root, "connectors", assembly, "README.md")).Split("```json\n").Skip(1).Select(b => b[..b.IndexOf("```", StringComparison.Ordinal)]);
        foreach (var block in blocks.Where(b => b.Contains("\"connector\":", StringComparison.Ordinal)))
        {
            File.WriteAllText(Path.Combine(connectors, "example.json"), System.Text.RegularExpressions.Regex.Replace(block, @"\$\{(env|file):[^}]+\}", "secret"));
            var loaded = ConfigFolder.Load(folder, Catalog);
            var errors = string.Join(Environment.NewLine, loaded.Problems.Where(p => p.Severity == Severity.Error));
            Assert.True(errors.Length == 0, errors + block);
            Assert.Single(loaded.Connectors);
        }
        Directory.Delete(folder, recursive: true);
    }

    public static TheoryData<string> Assemblies() => [.. Catalog.All.Select(p => p.AssemblyName).Distinct()];

    /// <summary>A plugin that shares another's assembly has its own marker and sample file, named after it.</summary>
    static string Own(Plugin plugin) => plugin.Info.Name.Replace("-", "", StringComparison.Ordinal).Equals(plugin.AssemblyName, StringComparison.OrdinalIgnoreCase) ? "" : " " + plugin.Info.Name;

    static string Between(string text, string from, string to)
    {
        var start = text.IndexOf(from, StringComparison.Ordinal);
        var end = text.IndexOf(to, StringComparison.Ordinal);
        return start < 0 || end < start ? "" : text[(start + from.Length)..end].Trim();
    }

    static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "IotGateway.sln"))) return folder.FullName;
        throw new InvalidOperationException("IotGateway.sln is in no folder above the tests.");
    }
}
