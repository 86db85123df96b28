using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using IotGateway.Host.Bench;

namespace IotGateway.Host.Cli;

/// <summary><c>bench [SCENARIO]</c>: measures this machine and this build; ratios come from one run.</summary>
static class BenchCommand
{
    static readonly Dictionary<string, Func<CancellationToken, Task<JsonObject>>> Scenarios = new()
    {
        ["start"] = StartBench.RunAsync,
        ["idle"] = IdleBench.RunAsync,
        ["mqtt"] = MqttBench.RunAsync,
    };

    public static Command Make()
    {
        var scenario = new Argument<string?>("scenario") { Description = string.Join(", ", Scenarios.Keys) + "; default: all.", Arity = ArgumentArity.ZeroOrOne };
        scenario.AcceptOnlyFromAmong([.. Scenarios.Keys]);
        var json = new Option<FileInfo?>("--json") { Description = "Also write the figures into a file." };
        var command = new Command("bench", "Measures: start to first durable record, idle memory, MQTT to the synced log.") { scenario, json };
        command.SetAction((r, ct) => GatewayCli.GuardAsync(async () =>
        {
            var figures = new JsonObject
            {
                ["date"] = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
                ["machine"] = $"{Environment.ProcessorCount} cores, {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 30} GiB, {Environment.OSVersion}",
            };
            foreach (var (name, run) in Scenarios.Where(s => r.GetValue(scenario) is null || s.Key == r.GetValue(scenario)))
            {
                var result = await run(ct).ConfigureAwait(false);
                figures[name] = result;
                Console.WriteLine($"{name}:");
                foreach (var (figure, value) in result) Console.WriteLine($"  {figure,-40} {value}");
            }
            if (r.GetValue(json) is { } file) await File.WriteAllTextAsync(file.FullName, figures.ToJsonString(new() { WriteIndented = true }) + "\n", ct).ConfigureAwait(false);
            return ExitCode.Done;
        }));
        return command;
    }
}
