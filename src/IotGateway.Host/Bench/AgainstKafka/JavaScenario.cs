using System.Text.Json.Nodes;

namespace IotGateway.Host.Bench.AgainstKafka;

/// <summary>Java's <c>producer-perf</c> (acks=all, which is its default) and <c>consumer-perf</c>, records of 100 B, one partition.</summary>
sealed class JavaScenario(LogBench bench)
{
    const int Size = 100;

    public async Task<JsonObject> RunAsync(CancellationToken ct)
    {
        var (gateway, kafka) = await bench.ServersAsync(ct).ConfigureAwait(false);
        var records = bench.Sizes.First().Records;
        var produce = await Pairs.MeasureAsync(bench.Options.Rounds, ct => ProduceAsync(gateway, records, ct), ct => ProduceAsync(kafka, records, ct), ct).ConfigureAwait(false);
        var (ours, theirs) = (await FillAsync(gateway, records, ct).ConfigureAwait(false), await FillAsync(kafka, records, ct).ConfigureAwait(false));
        var consume = await Pairs.MeasureAsync(bench.Options.Rounds, ct => ConsumeAsync(gateway, ours, records, ct), ct => ConsumeAsync(kafka, theirs, records, ct), ct).ConfigureAwait(false);
        await gateway.DeleteTopicAsync(ours).ConfigureAwait(false);
        await kafka.DeleteTopicAsync(theirs).ConfigureAwait(false);
        return new JsonObject { ["producer-perf, gateway synced, Kafka not"] = produce.Report(0.9, 1, perCore: false), ["consumer-perf"] = consume.Report(1, 1.5, perCore: true) };
    }

    async Task<Sample> ProduceAsync(MeasuredServer server, long records, CancellationToken ct)
    {
        var topic = await server.CreateTopicAsync(1, synced: true).ConfigureAwait(false);
        var sample = await server.MeasureAsync(() => bench.Clients.JavaProduceAsync(server.Bootstrap, topic, records, Size, ct), () => server.Records(topic, 1)).ConfigureAwait(false);
        await server.DeleteTopicAsync(topic).ConfigureAwait(false);
        return sample.Records == records ? sample : throw new InvalidDataException($"{server.Name} has {sample.Records} of {records} records produced.");
    }

    async Task<string> FillAsync(MeasuredServer server, long records, CancellationToken ct)
    {
        var topic = await server.CreateTopicAsync(1, synced: false).ConfigureAwait(false);
        await bench.Clients.ProduceAsync(server.Bootstrap, topic, records, Size, ct).ConfigureAwait(false);
        return topic;
    }

    async Task<Sample> ConsumeAsync(MeasuredServer server, string topic, long records, CancellationToken ct)
    {
        long consumed = 0;
        return await server.MeasureAsync(async () =>
        {
            var elapsed = await bench.Clients.JavaConsumeAsync(server.Bootstrap, topic, records, ct).ConfigureAwait(false);
            consumed = records;
            return elapsed;
        }, () => consumed).ConfigureAwait(false);
    }
}
