using System.Text.Json.Nodes;

namespace Acceptance.Tests;

/// <summary>The bench beside mosquitto's subscriber runs and counts; so short a run says nothing of speed. The long form: <c>./gateway bench mqtt</c>.</summary>
public sealed class MqttBenchTests
{
    [Theory]
    [InlineData("queued-100", "gateway, synced, msg/s, median")]
    [InlineData("live-1000", "mosquitto_sub | kcat -P, msg/s, median")]
    [InlineData("latency", "publish to readable in the log, p99, ms")]
    [InlineData("subscriptions", "messages in the log")]
    [InlineData("topics", "resident with 100,000 topics, MiB, median")]
    public async Task A_scenario_runs_and_reports_what_it_counted(string scenario, string figure)
    {
        foreach (var program in new[] { "mosquitto", "mosquitto_sub", "kcat" })
            if (!Machine.OnPath(program)) Assert.Skip($"{program} is not installed.");
        var folder = Directory.CreateTempSubdirectory("bench-").FullName;
        var figures = Path.Combine(folder, "figures.json");
        await using (var bench = Tool.Start(Machine.Gateway, ["bench", "mqtt", scenario, "--rounds", "1", "--messages", "2000", "--json", figures],
            new Dictionary<string, string> { ["IOTGATEWAY_PLUGINS"] = Path.Combine(Machine.Root, "plugins") }))
            Assert.True(await bench.WaitAsync(300) == 0, bench.Output);
        var all = JsonNode.Parse(await File.ReadAllTextAsync(figures, TestContext.Current.CancellationToken))!["mqtt"]!.AsObject();
        Assert.Equal(["rounds", "messages a run", scenario], all.Select(f => f.Key));
        Assert.True((double)all[scenario]![figure]! > 0);
        Directory.Delete(folder, recursive: true);
    }
}
