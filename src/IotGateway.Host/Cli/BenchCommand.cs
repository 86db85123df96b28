using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using IotGateway.Host.Bench;
using IotGateway.Host.Bench.AgainstKafka;
using IotGateway.Host.Bench.AgainstMosquitto;

namespace IotGateway.Host.Cli;

/// <summary><c>bench [SCENARIO]</c>: measures this machine and this build; ratios come from one run.</summary>
static class BenchCommand
{
    const int MostRounds = 100, MostMessages = 10_000_000;
    const string MqttName = "mqtt";

    static readonly Dictionary<string, Func<CancellationToken, Task<JsonObject>>> Scenarios = new()
    {
        ["start"] = StartBench.RunAsync,
        ["idle"] = IdleBench.RunAsync,
        [MqttName] = ct => MqttBench.RunAsync(MqttBenchOptions.Default, (name, figures) => Tell(name, figures, "  "), ct),
    };

    public static Command Make()
    {
        var scenario = new Argument<string?>("scenario") { Description = string.Join(", ", Scenarios.Keys) + "; default: all.", Arity = ArgumentArity.ZeroOrOne };
        scenario.AcceptOnlyFromAmong([.. Scenarios.Keys]);
        var json = Json();
        var command = new Command("bench", "Measures: start to first durable record, idle memory, MQTT to the synced log beside mosquitto's subscriber; 'bench mqtt' and 'bench log' (beside Apache Kafka) take scenarios.") { scenario, json, Mqtt(), Log() };
        command.SetAction((r, ct) => GatewayCli.GuardAsync(async () =>
        {
            var figures = Head();
            foreach (var (name, run) in Scenarios.Where(s => r.GetValue(scenario) is null || s.Key == r.GetValue(scenario)))
            {
                var one = await run(ct).ConfigureAwait(false);
                figures[name] = one;
                if (name != MqttName) Tell(name, one); // which tells each of its scenarios when it is done
            }
            await WriteAsync(r.GetValue(json), figures, ct).ConfigureAwait(false);
            return ExitCode.Done;
        }));
        return command;
    }

    static Command Mqtt()
    {
        var names = MqttBench.Scenarios.Keys.ToArray();
        var only = new Argument<string[]>("scenario") { Description = string.Join(", ", names) + "; default: all.", Arity = ArgumentArity.ZeroOrMore };
        only.AcceptOnlyFromAmong(names);
        var json = Json();
        var rounds = new Option<int>("--rounds") { Description = "Rounds in which each program has one run. Fewer than 5 prove nothing.", DefaultValueFactory = _ => MqttBenchOptions.Default.Rounds };
        rounds.Validators.Add(r => { if (r.GetValue(rounds) is < 1 or > MostRounds) r.AddError($"--rounds takes 1 to {MostRounds}."); });
        var messages = new Option<int>("--messages") { Description = "Messages a run.", DefaultValueFactory = _ => MqttBenchOptions.Default.Messages };
        messages.Validators.Add(r => { if (r.GetValue(messages) is < 1_000 or > MostMessages) r.AddError($"--messages takes 1000 to {MostMessages}."); });
        var command = new Command(MqttName, "MQTT to the synced log beside mosquitto_sub > /dev/null and mosquitto_sub | kcat -P in turns: the same broker, session, window and messages.") { only, json, rounds, messages };
        command.SetAction((r, ct) => GatewayCli.GuardAsync(async () =>
        {
            var figures = Head();
            figures[MqttName] = await MqttBench.RunAsync(new(r.GetValue(only) ?? [], r.GetValue(rounds), r.GetValue(messages)), Tell, ct).ConfigureAwait(false);
            await WriteAsync(r.GetValue(json), figures, ct).ConfigureAwait(false);
            return ExitCode.Done;
        }));
        return command;
    }

    static Command Log()
    {
        var names = LogBench.Scenarios.Keys.ToArray();
        var only = new Argument<string[]>("scenario") { Description = string.Join(", ", names) + "; default: all.", Arity = ArgumentArity.ZeroOrMore };
        only.AcceptOnlyFromAmong(names);
        var json = Json();
        var kafka = new Option<string?>("--kafka") { Description = "Folder of the Apache Kafka to measure against; default: KAFKA_DIR, else ../shared/kafka.", HelpName = "DIR" };
        var rounds = new Option<int>("--rounds") { Description = "Rounds of four runs (Kafka, gateway, gateway, Kafka). Fewer than 3 prove nothing.", DefaultValueFactory = _ => 3 };
        rounds.Validators.Add(r => { if (r.GetValue(rounds) is < 1 or > MostRounds) r.AddError($"--rounds takes 1 to {MostRounds}."); });
        var seconds = new Option<double>("--seconds") { Description = "About how long one run is.", DefaultValueFactory = _ => 1.5 };
        seconds.Validators.Add(r => { if (r.GetValue(seconds) is not (> 0 and <= 600)) r.AddError("--seconds takes more than 0 and at most 600."); });
        var command = new Command("log", "The log beside Apache Kafka in turns: the same machine, disk, clients and load.") { only, json, kafka, rounds, seconds };
        command.SetAction((r, ct) => GatewayCli.GuardAsync(async () =>
        {
            var options = new LogBenchOptions(KafkaServer.Find(r.GetValue(kafka)), r.GetValue(only) ?? [], r.GetValue(rounds), r.GetValue(seconds));
            var figures = Head();
            figures["log"] = await LogBench.RunAsync(options, Tell, ct).ConfigureAwait(false);
            await WriteAsync(r.GetValue(json), figures, ct).ConfigureAwait(false);
            return ExitCode.Done;
        }));
        return command;
    }

    static Option<FileInfo?> Json() => new("--json") { Description = "Also write the figures into a file." };

    static JsonObject Head() => new()
    {
        ["date"] = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        ["machine"] = $"{Environment.ProcessorCount} cores, {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 30} GiB, {Environment.OSVersion}",
    };

    static void Tell(string name, JsonObject figures) => Tell(name, figures, "");

    static void Tell(string name, JsonObject figures, string indent)
    {
        Console.WriteLine($"{indent}{name}:");
        foreach (var (figure, value) in figures)
        {
            if (value is JsonObject inner) Tell(figure, inner, indent + "  ");
            else Console.WriteLine($"{indent}  {figure,-40} {value}");
        }
    }

    static Task WriteAsync(FileInfo? file, JsonObject figures, CancellationToken ct)
        => file is null ? Task.CompletedTask : File.WriteAllTextAsync(file.FullName, figures.ToJsonString(new() { WriteIndented = true }) + "\n", ct);
}
