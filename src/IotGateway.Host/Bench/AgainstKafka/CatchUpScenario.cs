using System.Globalization;
using System.Text.Json.Nodes;

namespace IotGateway.Host.Bench.AgainstKafka;

/// <summary>
/// Produces at a fixed rate, a third of what the slower of the two takes, with and without a consumer that reads another partition from its beginning over and over, the
/// first time from the disk (W5). Open loop: what the broker does not take in time is missing from the rate. The consumer runs at the lowest priority: on two cores it would
/// otherwise take one from broker and producer, and be what is measured.
/// </summary>
sealed class CatchUpScenario(LogBench bench)
{
    const int Size = 100, Share = 3;
    const double Target = 0.9;
    int _rate;

    public async Task<JsonObject> RunAsync(CancellationToken ct)
    {
        var (gateway, kafka) = await bench.ServersAsync(ct).ConfigureAwait(false);
        _rate = (int)(Math.Min(await FullAsync(gateway, ct).ConfigureAwait(false), await FullAsync(kafka, ct).ConfigureAwait(false)) / Share);
        return new JsonObject { ["records/s asked for"] = _rate, ["gateway"] = await OneAsync(gateway, ct).ConfigureAwait(false), ["Kafka"] = await OneAsync(kafka, ct).ConfigureAwait(false) };
    }

    async Task<JsonObject> OneAsync(MeasuredServer server, CancellationToken ct)
    {
        var backlog = bench.Sizes.First().Records;
        var old = await server.CreateTopicAsync(1, synced: false).ConfigureAwait(false);
        await bench.Clients.ProduceAsync(server.Bootstrap, old, backlog, Size, ct).ConfigureAwait(false);
        var (alone, beside, cold) = (new List<double>(), new List<double>(), true);
        for (var round = 0; round <= bench.Options.Rounds; round++)
        {
            var quiet = await PaceAsync(server, ct).ConfigureAwait(false);
            cold &= PageCache.Drop();
            using var reading = CancellationTokenSource.CreateLinkedTokenSource(ct);
            var reader = ReadOnAsync(server, old, backlog, reading.Token);
            var read = await PaceAsync(server, ct).ConfigureAwait(false);
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

    // The second of two: both programs compile in the first.
    async Task<double> FullAsync(MeasuredServer server, CancellationToken ct)
    {
        var records = bench.Sizes.First().Records;
        await ProduceAsync(server, records, null, ct).ConfigureAwait(false);
        return await ProduceAsync(server, records, null, ct).ConfigureAwait(false);
    }

    Task<double> PaceAsync(MeasuredServer server, CancellationToken ct) => ProduceAsync(server, (long)(_rate * bench.Options.Seconds), _rate, ct);

    async Task<double> ProduceAsync(MeasuredServer server, long records, int? rate, CancellationToken ct)
    {
        var topic = await server.CreateTopicAsync(1, synced: true).ConfigureAwait(false);
        var sample = await server.MeasureAsync(() => bench.Clients.ProduceAsync(server.Bootstrap, topic, records, Size, ct, rate), () => server.Records(topic, 1)).ConfigureAwait(false);
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
