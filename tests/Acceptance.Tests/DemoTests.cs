using System.Globalization;
using System.Text.RegularExpressions;

namespace Acceptance.Tests;

/// <summary>The first thing a newcomer runs.</summary>
public sealed partial class DemoTests
{
    [Fact]
    public async Task The_demo_shows_values_lines_and_both_commands_and_leaves_readable_data()
    {
        var folder = Directory.CreateTempSubdirectory("iotgateway-demo-test-").FullName;
        try
        {
            var output = await Tool.RunAsync(Path.Combine(Machine.Root, "gateway"), ["demo", "--seconds", "14", "--dir", folder], 40);
            TestContext.Current.TestOutputHelper!.WriteLine(output);
            Assert.Matches(@"press1\s+temperature\s+[\d.]+\s+°C\s+good", output);
            Assert.Matches(@"\[press-log\] .*press", output);
            Assert.Matches(@"< confirmed: press1/setpoint = 72.5, observed 7[0-9.]+", output);
            Assert.Matches(@"< refused: press1/setpoint = 500.*", output);
            Assert.True(double.Parse(FirstEvent().Match(output).Groups[1].Value, CultureInfo.InvariantCulture) < 5, "the first event came late");

            var run = Run().Match(output);
            var port = Kcat().Match(output).Groups[1].Value;
            await using var gateway = Tool.Start(Machine.Gateway, ["run", "--config", run.Groups[1].Value, "--data", run.Groups[2].Value],
                new Dictionary<string, string> { ["IOTGATEWAY_PLUGINS"] = Path.Combine(Machine.Root, "plugins") });
            await gateway.SawAsync(" runs: Kafka on ");
            var read = await Tool.RunAsync("kcat", ["-b", port, "-C", "-t", "press-line", "-o", "beginning", "-e", "-X", "fetch.wait.max.ms=10", "-q"]);
            Assert.Contains("\"device\":\"press1\",\"tag\":\"temperature\"", read, StringComparison.Ordinal);
            gateway.Signal(Signals.Term);
            Assert.Equal(0, await gateway.WaitAsync(12));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [GeneratedRegex(@"first event seen ([\d.]+) s")]
    private static partial Regex FirstEvent();

    [GeneratedRegex(@"gateway run --config (\S+) --data (\S+)")]
    private static partial Regex Run();

    [GeneratedRegex(@"kcat -b (\S+)")]
    private static partial Regex Kcat();
}
