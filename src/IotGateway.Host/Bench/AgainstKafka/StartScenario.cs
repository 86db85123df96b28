using System.Globalization;
using System.Text.Json.Nodes;

namespace IotGateway.Host.Bench.AgainstKafka;

/// <summary>From exec to the first record acknowledged and read back, the two programs in turns, after a clean stop and after kill -9 (W16).</summary>
sealed class StartScenario(LogBench bench)
{
    const int Starts = 10, FewRounds = 2;
    const double Target = 0.25;

    public async Task<JsonObject> RunAsync(CancellationToken ct)
    {
        await using var gateway = new GatewayServer();
        await using var kafka = new KafkaServer(bench.Options.Kafka);
        foreach (var server in (MeasuredServer[])[kafka, gateway]) // the first start makes the log, the topic and the group's
        {
            await FirstRecord.TimeAsync(server.Bootstrap, () => server.StartAsync(ct), ct).ConfigureAwait(false);
            await server.EndAsync(kill: false).ConfigureAwait(false);
        }
        var (clean, killed) = (new List<(double Ours, double Theirs)>(), new List<(double Ours, double Theirs)>());
        for (var i = 0; i < (bench.Options.Rounds > FewRounds ? Starts : bench.Options.Rounds); i++)
        {
            clean.Add((await OnceAsync(gateway, killAfter: true, ct).ConfigureAwait(false), await OnceAsync(kafka, killAfter: true, ct).ConfigureAwait(false)));
            killed.Add((await OnceAsync(gateway, killAfter: false, ct).ConfigureAwait(false), await OnceAsync(kafka, killAfter: false, ct).ConfigureAwait(false)));
        }
        return new JsonObject { ["after a clean stop"] = Report(clean), ["after kill -9"] = Report(killed) };
    }

    static async Task<double> OnceAsync(MeasuredServer server, bool killAfter, CancellationToken ct)
    {
        var seconds = await FirstRecord.TimeAsync(server.Bootstrap, () => server.StartAsync(ct), ct).ConfigureAwait(false);
        await server.EndAsync(killAfter).ConfigureAwait(false);
        return seconds;
    }

    static JsonObject Report(List<(double Ours, double Theirs)> starts)
    {
        var ratios = new Ratios(starts.Select(s => s.Ours / s.Theirs));
        return new()
        {
            ["gateway, median s"] = Math.Round(new Ratios(starts.Select(s => s.Ours)).Median, 3),
            ["Kafka, median s"] = Math.Round(new Ratios(starts.Select(s => s.Theirs)).Median, 3),
            ["gateway by Kafka"] = ratios.AtMost(),
            [string.Create(CultureInfo.InvariantCulture, $"target {Target}, towards {Target / 2}")] = Pairs.SayAtMost(ratios, Target),
        };
    }
}
