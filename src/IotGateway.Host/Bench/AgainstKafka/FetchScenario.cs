using System.Globalization;
using System.Text.Json.Nodes;

namespace IotGateway.Host.Bench.AgainstKafka;

/// <summary>Consumes one partition from its beginning by librdkafka, from the page cache, records of 100 B and 1 kB (W5).</summary>
sealed class FetchScenario(LogBench bench)
{
    public async Task<JsonObject> RunAsync(CancellationToken ct)
    {
        var (gateway, kafka) = await bench.ServersAsync(ct).ConfigureAwait(false);
        var report = new JsonObject();
        foreach (var (size, records) in bench.Sizes)
        {
            var (ours, theirs) = (await FillAsync(gateway, records, size, ct).ConfigureAwait(false), await FillAsync(kafka, records, size, ct).ConfigureAwait(false));
            var pairs = await Pairs.MeasureAsync(bench.Options.Rounds, ct => OnceAsync(gateway, ours, records, ct), ct => OnceAsync(kafka, theirs, records, ct), ct).ConfigureAwait(false);
            report[string.Create(CultureInfo.InvariantCulture, $"{size} B, {records} records a run")] = pairs.Report(target: 1, towards: 1.5, perCore: true);
            await gateway.DeleteTopicAsync(ours).ConfigureAwait(false);
            await kafka.DeleteTopicAsync(theirs).ConfigureAwait(false);
        }
        return report;
    }

    async Task<string> FillAsync(MeasuredServer server, long records, int size, CancellationToken ct)
    {
        var topic = await server.CreateTopicAsync(1, synced: false).ConfigureAwait(false);
        await bench.Clients.ProduceAsync(server.Bootstrap, topic, records, size, ct).ConfigureAwait(false);
        return topic;
    }

    // The consumer ends when it has them all and not before.
    async Task<Sample> OnceAsync(MeasuredServer server, string topic, long records, CancellationToken ct)
    {
        long consumed = 0;
        return await server.MeasureAsync(async () =>
        {
            var elapsed = await bench.Clients.ConsumeAsync(server.Bootstrap, topic, records, ct).ConfigureAwait(false);
            consumed = records;
            return elapsed;
        }, () => consumed).ConfigureAwait(false);
    }
}
