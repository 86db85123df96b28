using System.Xml.Linq;

namespace IotGateway.Architecture.Tests;

/// <summary>Log ← Broker ← Host → Connect → {Sdk, Log}; a connector references Sdk only; Host never references a connector.</summary>
public sealed class ArrowTests
{
    static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["IotGateway.Sdk"] = [],
        ["IotGateway.Log"] = [],
        ["IotGateway.Broker"] = ["IotGateway.Log"],
        ["IotGateway.Connect"] = ["IotGateway.Sdk", "IotGateway.Log"],
        ["IotGateway.Host"] = ["IotGateway.Broker", "IotGateway.Connect"],
    };

    public static TheoryData<string> Projects(string folder)
        => [.. Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*.csproj", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];

    [Theory, MemberData(nameof(Projects), "src")]
    public void A_project_references_only_what_its_arrows_allow(string project)
    {
        var name = Path.GetFileNameWithoutExtension(project);
        Assert.True(Allowed.ContainsKey(name), $"{name} is new in src: give it its arrows here and in the design.");
        Assert.Subset(Allowed[name].ToHashSet(), References(project).ToHashSet());
    }

    [Theory, MemberData(nameof(Projects), "connectors")]
    public void A_connector_references_the_Sdk_only(string project) => Assert.Empty(References(project)); // the Sdk comes from Directory.Build.targets

    [Fact]
    public void The_Sdk_depends_on_logging_abstractions_only()
    {
        var project = XDocument.Load(Path.Combine(Repository.Root, "src/IotGateway.Sdk/IotGateway.Sdk.csproj"));
        Assert.Equal(["Microsoft.Extensions.Logging.Abstractions"], project.Descendants("PackageReference").Select(p => p.Attribute("Include")!.Value));
        Assert.Empty(project.Descendants("FrameworkReference"));
    }

    [Fact]
    public void The_Log_knows_no_sockets_and_no_hosting()
    {
        foreach (var file in Repository.Sources("src/IotGateway.Log"))
            Assert.DoesNotContain(File.ReadLines(file), l => l.StartsWith("using System.Net.Sockets", StringComparison.Ordinal) || l.StartsWith("using Microsoft.Extensions.Hosting", StringComparison.Ordinal)
                || l.StartsWith("using Microsoft.AspNetCore", StringComparison.Ordinal));
    }

    [Fact]
    public void Every_connector_has_tests_and_is_built_for_the_product()
    {
        var product = File.ReadAllText(Path.Combine(Repository.Root, "eng/product.slnf"));
        foreach (var folder in Directory.EnumerateDirectories(Path.Combine(Repository.Root, "connectors")).Select(f => Path.GetFileName(f)))
        {
            Assert.Contains($"connectors/{folder}/{folder}.csproj", product, StringComparison.Ordinal);
            Assert.True(File.Exists(Path.Combine(Repository.Root, "tests", folder + ".Tests", folder + ".Tests.csproj")), $"{folder} has no tests/{folder}.Tests.");
            foreach (var file in (string[])["README.md", "sample.json"])
                Assert.True(File.Exists(Path.Combine(Repository.Root, "connectors", folder, file)), $"connectors/{folder}/{file} is missing.");
        }
    }

    [Fact]
    public void Every_connector_inherits_the_conformance_tests()
    {
        foreach (var folder in Directory.EnumerateDirectories(Path.Combine(Repository.Root, "connectors")).Select(f => Path.GetFileName(f)))
            Assert.Contains(Repository.Sources(Path.Combine("tests", folder + ".Tests")), f => File.ReadAllText(f) is var text
                && (text.Contains(": SourceConformance<", StringComparison.Ordinal) || text.Contains(": SinkConformance<", StringComparison.Ordinal)));
    }

    static IEnumerable<string> References(string project)
        => XDocument.Load(project).Descendants("ProjectReference").Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value));
}
