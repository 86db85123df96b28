using System.Text.Json.Nodes;

namespace Acceptance.Tests;

/// <summary>The bench beside Apache Kafka runs and counts; so short a run says nothing of speed. The long form: <c>./gateway bench log</c>.</summary>
public sealed class LogBenchTests
{
    [Theory]
    [InlineData("produce")]
    [InlineData("fetch")]
    public async Task A_scenario_runs_against_both_programs_and_reports_a_ratio(string scenario)
    {
        if (!Machine.OnPath("gcc")) Assert.Skip("The client for measuring is built by gcc, which is not installed.");
        var figures = Path.Combine(Directory.CreateTempSubdirectory("bench-").FullName, "figures.json");
        await using var bench = Tool.Start(Machine.Gateway, ["bench", "log", scenario, "--kafka", Machine.Kafka, "--rounds", "1", "--seconds", "0.01", "--json", figures],
            new Dictionary<string, string> { ["IOTGATEWAY_PLUGINS"] = Path.Combine(Machine.Root, "plugins") });
        Assert.True(await bench.WaitAsync(300) == 0, bench.Output);
        var all = JsonNode.Parse(await File.ReadAllTextAsync(figures, TestContext.Current.CancellationToken))!["log"]![scenario]!.AsObject();
        Assert.NotEmpty(all);
        foreach (var (_, one) in all)
        {
            Assert.True((double)one!["gateway, records/s, median"]! > 0);
            Assert.True((double)one["Kafka, records/s, median"]! > 0);
        }
    }
}
