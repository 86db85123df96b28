using System.Runtime.CompilerServices;
using System.Text;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Server;
using IotGateway.Broker.Tests.Server;

namespace IotGateway.Broker.Tests;

/// <summary>The tables in the broker's README are what the broker says and does. UPDATE_README=1 writes them.</summary>
public sealed class ReadmeTests
{
    [Fact]
    public async Task The_readme_has_the_tables_of_the_code()
    {
        var path = Path.Combine(SourceFolder(), "..", "..", "src", "IotGateway.Broker", "README.md");
        if (!File.Exists(path)) Assert.Skip("The sources are not on this machine.");
        var text = await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken);
        var expected = Put(Put(Put(text, "apis", await ApisAsync()), "settings", Settings()), "broker", await BrokerSettingsAsync());
        if (Environment.GetEnvironmentVariable("UPDATE_README") == "1") await File.WriteAllTextAsync(path, expected, TestContext.Current.CancellationToken);
        else Assert.Equal(expected, text);
    }

    static async Task<string> ApisAsync()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        var response = await client.CallAsync<ApiVersionsRequest, ApiVersionsResponse>(new() { ClientSoftwareName = "readme", ClientSoftwareVersion = "1" }, 4);
        var table = new StringBuilder("| key | API | versions | the client may need |\n|---|---|---|---|\n");
        foreach (var api in response.ApiKeys) table.Append($"| {api.ApiKey} | {(ApiKey)api.ApiKey} | {api.MinVersion}–{api.MaxVersion} | {string.Join(", ", broker.Server.Broker.Apis.Find((ApiKey)api.ApiKey)!.Access)} |\n");
        return table.ToString();
    }

    static string Settings()
    {
        var table = new StringBuilder("| setting | default | |\n|---|---|---|\n");
        foreach (var setting in TopicSettings.All) table.Append($"| `{setting.Name}` | {setting.Default} | {Treated(setting)} |\n");
        return table.ToString();
    }

    static string Treated(Setting setting) => setting.Treatment.ToString().ToLowerInvariant() + (setting.Why.Length > 0 ? ": " + setting.Why : "");

    [Fact]
    public void What_is_only_stored_says_why()
        => Assert.Empty(TopicSettings.All.Concat(BrokerSettings.All).Concat(BrokerSettings.OfGroups).Where(s => s.Treatment == Treatment.Stored == (s.Why.Length == 0)).Select(s => s.Name));

    static async Task<string> BrokerSettingsAsync()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        var response = await client.CallAsync<DescribeConfigsRequest, DescribeConfigsResponse>(new() { Resources = [new() { ResourceType = ConfigResources.BrokerType, ResourceName = "1" }] }, 4);
        var table = new StringBuilder("| setting | value | |\n|---|---|---|\n");
        foreach (var entry in response.Results[0].Configs.OrderBy(c => c.Name, StringComparer.Ordinal))
            table.Append($"| `{entry.Name}` | {(entry.Name == "advertised.listeners" ? "" : entry.Value)} | {(entry.ReadOnly ? "read-only" : Treated(ConfigResources.Find(ConfigResources.BrokerType, entry.Name)!))} |\n");
        return table.ToString();
    }

    static string Put(string text, string name, string table)
    {
        var start = text.IndexOf($"<!-- {name} -->\n", StringComparison.Ordinal) + $"<!-- {name} -->\n".Length;
        return text[..start] + table + text[text.IndexOf($"<!-- /{name} -->", StringComparison.Ordinal)..];
    }

    static string SourceFolder([CallerFilePath] string file = "")
        => file.StartsWith("/_/", StringComparison.Ordinal) ? Path.Combine(Root(), Path.GetDirectoryName(file)![3..]) : Path.GetDirectoryName(file)!;

    /// <summary>Deterministic builds name sources relative to the repository.</summary>
    static string Root()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
            if (File.Exists(Path.Combine(at.FullName, "IotGateway.sln"))) return at.FullName;
        return "/";
    }
}
