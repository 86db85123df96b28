using System.Globalization;
using System.Text.Json.Nodes;

namespace IotGateway.Host.Bench.AgainstKafka;

/// <summary>
/// Produces at a fixed rate, about a third of what fits, with and without a consumer that reads another partition from its beginning over and over, the first time
/// from the disk (W5). Open loop: what the broker does not take in time is missing from the rate. The consumer runs at the lowest priority: on two cores it would
/// otherwise take one from broker and producer, and be what is measured.
/// </summary>
sealed class CatchUpScenario(LogBench bench)
{
    const int Rate = 1_000_000, Size = 100;
    const double Target = 0.9;

    public async Task<JsonObject> RunAsync(CancellationToken ct)
    {
        var (gateway, kafka) = await bench.ServersAsync(ct).ConfigureAwait(false);
        return new JsonObject { ["gateway"] = await OneAsync(gateway, ct).ConfigureAwait(false), ["Kafka"] = await OneAsync(kafka, ct).ConfigureAwait(false) };
    }

    async Task<JsonObject> OneAsync(MeasuredServer server, CancellationToken ct)
    {
        var backlog = bench.Sizes.First().Records;
        var old = await server.CreateTopicAsync(1, synced: false).ConfigureAwait(false);
        await bench.Clients.ProduceAsync(server.Bootstrap, old, backlog, Size, ct).ConfigureAwait(false);
        var (alone, beside, cold) = (new List<double>(), new List<double>(), true);
        for (var round = 0; round <= bench.Options.Rounds; round++)
        {
            var quiet = await ProduceAsync(server, ct).ConfigureAwait(false);
            cold &= PageCache.Drop();
            using var reading = CancellationTokenSource.CreateLinkedTokenSource(ct);
            var reader = ReadOnAsync(server, old, backlog, reading.Token);
            var read = await ProduceAsync(server, ct).ConfigureAwait(false);
            await reading.CancelAsync().ConfigureAwait(false);
            await reader.ConfigureAwait(false);
            if (round == 0) continue;
            alone.Add(quiet);
            beside.Add(read);
        }
        await server.DeleteTopicAsync(old).ConfigureAwait(false);
        var ratio = new Ratios(beside.Zip(alone, (b, a) => b / a));
        return new JsonObject
        {
            ["records/s alone, median"] = Math.Round(new Ratios(alone).Median),
            ["records/s beside a reader, median"] = Math.Round(new Ratios(beside).Median),
            ["the backlog is read from the disk"] = cold,
            ["beside by alone"] = ratio.ToString(),
            [string.Create(CultureInfo.InvariantCulture, $"target {Target}")] = Pairs.Say(ratio, Target),
        };
    }

    async Task<double> ProduceAsync(MeasuredServer server, CancellationToken ct)
    {
        var records = (long)(Rate * bench.Options.Seconds);
        var topic = await server.CreateTopicAsync(1, synced: true).ConfigureAwait(false);
        var sample = await server.MeasureAsync(() => bench.Clients.ProduceAsync(server.Bootstrap, topic, records, Size, ct, Rate), () => server.Records(topic, 1)).ConfigureAwait(false);
        await server.DeleteTopicAsync(topic).ConfigureAwait(false);
        return sample.Rate;
    }

    async Task ReadOnAsync(MeasuredServer server, string topic, long records, CancellationToken ct)
    {
        try
        {
            while (true) await bench.Clients.ConsumeAsideAsync(server.Bootstrap, topic, records, ct).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The producer has come to its end.
        }
    }
}
