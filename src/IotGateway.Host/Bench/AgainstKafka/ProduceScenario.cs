using System.Globalization;
using System.Text.Json.Nodes;

namespace IotGateway.Host.Bench.AgainstKafka;

/// <summary>
/// Produces to one partition by librdkafka, records of 100 B and 1 kB (W3, W4). Kafka acknowledges from the page cache in both forms; the
/// gateway as well, or once it has synced. A new topic each run, deleted after it; what the run before left to be written is written before
/// the next one begins.
/// </summary>
sealed class ProduceScenario(LogBench bench, bool synced, double target)
{
    const double Towards = 2;

    public async Task<JsonObject> RunAsync(CancellationToken ct)
    {
        var (gateway, kafka) = await bench.ServersAsync(ct).ConfigureAwait(false);
        var report = new JsonObject();
        foreach (var (size, records) in bench.Sizes)
        {
            var pairs = await Pairs.MeasureAsync(bench.Options.Rounds, ct => OnceAsync(gateway, records, size, ct), ct => OnceAsync(kafka, records, size, ct), ct).ConfigureAwait(false);
            report[string.Create(CultureInfo.InvariantCulture, $"{size} B, {records} records a run")] = pairs.Report(target, synced ? 1 : Towards, perCore: !synced);
        }
        return report;
    }

    async Task<Sample> OnceAsync(MeasuredServer server, long records, int size, CancellationToken ct)
    {
        var topic = await server.CreateTopicAsync(1, synced).ConfigureAwait(false);
        await BlockDevice.SyncAsync(server.Partitions, ct).ConfigureAwait(false);
        var sample = await server.MeasureAsync(() => bench.Clients.ProduceAsync(server.Bootstrap, topic, records, size, ct), () => server.Records(topic, 1)).ConfigureAwait(false);
        await server.DeleteTopicAsync(topic).ConfigureAwait(false);
        return sample.Records == records ? sample : throw new InvalidDataException($"{server.Name} has {sample.Records} of {records} records produced.");
    }
}
