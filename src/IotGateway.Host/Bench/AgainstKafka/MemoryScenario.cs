using System.Globalization;
using System.Text.Json.Nodes;

namespace IotGateway.Host.Bench.AgainstKafka;

/// <summary>What the two programs hold after the same load, each time started anew: records of both sizes produced and consumed (W15).</summary>
sealed class MemoryScenario(LogBench bench)
{
    const double Target = 0.1;

    public async Task<JsonObject> RunAsync(CancellationToken ct)
    {
        List<(double Pss, double Anonymous)> ours = [], theirs = [];
        for (var round = 0; round < bench.Options.Rounds; round++)
        {
            ours.Add(await OneAsync(new GatewayServer(), ct).ConfigureAwait(false));
            theirs.Add(await OneAsync(new KafkaServer(bench.Options.Kafka), ct).ConfigureAwait(false));
        }
        var anonymous = Of(m => m.Anonymous);
        return new JsonObject
        {
            ["gateway, anonymous, median MiB"] = Middle(ours, m => m.Anonymous),
            ["Kafka, anonymous, median MiB"] = Middle(theirs, m => m.Anonymous),
            ["gateway, PSS, median MiB"] = Middle(ours, m => m.Pss),
            ["Kafka, PSS, median MiB"] = Middle(theirs, m => m.Pss),
            ["anonymous, gateway by Kafka"] = anonymous.AtMost(),
            ["PSS, gateway by Kafka"] = Of(m => m.Pss).AtMost(),
            [string.Create(CultureInfo.InvariantCulture, $"target {Target}, anonymous")] = Pairs.SayAtMost(anonymous, Target),
        };

        Ratios Of(Func<(double Pss, double Anonymous), double> value) => new(ours.Zip(theirs, (a, b) => value(a) / value(b)));
    }

    static double Middle(List<(double Pss, double Anonymous)> of, Func<(double Pss, double Anonymous), double> value) => Math.Round(new Ratios(of.Select(value)).Median, 1);

    async Task<(double Pss, double Anonymous)> OneAsync(MeasuredServer server, CancellationToken ct)
    {
        await using var _ = server.ConfigureAwait(false);
        await server.StartAsync(ct).ConfigureAwait(false);
        await server.ReadyAsync(ct).ConfigureAwait(false);
        foreach (var (size, records) in bench.Sizes)
        {
            var topic = await server.CreateTopicAsync(1, synced: true).ConfigureAwait(false);
            await bench.Clients.ProduceAsync(server.Bootstrap, topic, records, size, ct).ConfigureAwait(false);
            await bench.Clients.ConsumeAsync(server.Bootstrap, topic, records, ct).ConfigureAwait(false);
            await server.DeleteTopicAsync(topic).ConfigureAwait(false);
        }
        return ProcessFigures.Memory(server.Pid);
    }
}
