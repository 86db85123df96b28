using System.Globalization;
using System.Text.Json.Nodes;

namespace IotGateway.Host.Bench.AgainstKafka;

/// <summary>
/// Both programs sync before they acknowledge, and every sync takes 5 ms longer: one record a request from many producers to 64 partitions (W4).
/// Kafka syncs each partition by itself, the gateway all that wait at once.
/// </summary>
sealed class SlowDiskScenario(LogBench bench)
{
    const int Delay = 5, Partitions = 64, Size = 100;
    const double Target = 5, Towards = 20;
    static readonly int[] Connections = [128, 512];

    public async Task<JsonObject> RunAsync(CancellationToken ct)
    {
        var slow = bench.Tools.SlowDisk(Delay);
        await using var gateway = new GatewayServer(slow);
        await using var kafka = new KafkaServer(bench.Options.Kafka, slow, ["log.flush.interval.messages=1"]);
        await kafka.StartAsync(ct).ConfigureAwait(false);
        await gateway.StartAsync(ct).ConfigureAwait(false);
        await kafka.ReadyAsync(ct).ConfigureAwait(false);
        await gateway.ReadyAsync(ct).ConfigureAwait(false);
        await gateway.QuietAsync(ct).ConfigureAwait(false);
        var (ours, theirs) = (await gateway.CreateTopicAsync(Partitions, synced: true).ConfigureAwait(false), await kafka.CreateTopicAsync(Partitions, synced: true).ConfigureAwait(false));
        var report = new JsonObject();
        foreach (var connections in Connections)
        {
            using var toOurs = await ClosedLoop.ConnectAsync(gateway.Bootstrap, ours, connections, Partitions, 1, Size, ct).ConfigureAwait(false);
            using var toTheirs = await ClosedLoop.ConnectAsync(kafka.Bootstrap, theirs, connections, Partitions, 1, Size, ct).ConfigureAwait(false);
            var pairs = await Pairs.MeasureAsync(bench.Options.Rounds, ct => OnceAsync(gateway, ours, toOurs, ct), ct => OnceAsync(kafka, theirs, toTheirs, ct), ct).ConfigureAwait(false);
            report[string.Create(CultureInfo.InvariantCulture, $"{connections} producers")] = pairs.Report(Target, Towards, perCore: false);
        }
        return report;
    }

    async Task<Sample> OnceAsync(MeasuredServer server, string topic, ClosedLoop loop, CancellationToken ct)
    {
        var before = loop.Acknowledged;
        var sample = await server.MeasureAsync(() => loop.RunAsync(TimeSpan.FromSeconds(bench.Options.Seconds), ct), () => server.Records(topic, Partitions)).ConfigureAwait(false);
        return sample.Records == loop.Acknowledged - before ? sample : throw new InvalidDataException($"{server.Name} has other records than it acknowledged.");
    }
}
