using System.Text.Json.Nodes;

namespace IotGateway.Host.Bench.AgainstKafka;

/// <summary>What the two programs hold after the same load: that of the scenarios before, and a round of producing and consuming at the least (W15).</summary>
sealed class MemoryScenario(LogBench bench)
{
    const double Target = 0.1;

    public async Task<JsonObject> RunAsync(CancellationToken ct)
    {
        var (gateway, kafka) = await bench.ServersAsync(ct).ConfigureAwait(false);
        var (ours, theirs) = (await OneAsync(gateway, ct).ConfigureAwait(false), await OneAsync(kafka, ct).ConfigureAwait(false));
        var share = ours.Anonymous / theirs.Anonymous;
        return new JsonObject
        {
            ["gateway, anonymous, MiB"] = Math.Round(ours.Anonymous, 1),
            ["Kafka, anonymous, MiB"] = Math.Round(theirs.Anonymous, 1),
            ["gateway, PSS, MiB"] = Math.Round(ours.Pss, 1),
            ["Kafka, PSS, MiB"] = Math.Round(theirs.Pss, 1),
            ["anonymous, gateway by Kafka"] = Math.Round(share, 3),
            [$"target {Target}"] = share <= Target ? "met" : "missed",
        };
    }

    async Task<(double Pss, double Anonymous)> OneAsync(MeasuredServer server, CancellationToken ct)
    {
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
