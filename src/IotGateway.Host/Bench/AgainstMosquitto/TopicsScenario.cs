using System.Globalization;
using System.Text.Json.Nodes;
using IotGateway.Host.Bench.AgainstKafka;

namespace IotGateway.Host.Bench.AgainstMosquitto;

/// <summary>
/// Memory with 100,000 distinct MQTT topics into one Kafka topic, by that with 1,000: as many messages, a process of its own each time, in turns.
/// </summary>
sealed class TopicsScenario(MqttBenchOptions options)
{
    const int Few = 1_000, Many = 100_000, MostRuns = 3;
    const double AtMost = 10; // MiB more
    static readonly TimeSpan Settle = TimeSpan.FromSeconds(3);

    public async Task<JsonObject> RunAsync(CancellationToken ct)
    {
        var (few, many) = (new List<(double Resident, double Anonymous)>(), new List<(double Resident, double Anonymous)>());
        for (var i = 0; i < Math.Min(MostRuns, options.Rounds); i++)
        {
            few.Add(await OnceAsync(Few, ct).ConfigureAwait(false));
            many.Add(await OnceAsync(Many, ct).ConfigureAwait(false));
        }
        var more = Median(many, m => m.Resident) - Median(few, m => m.Resident);
        return new()
        {
            ["resident with 1,000 topics, MiB, median"] = Math.Round(Median(few, m => m.Resident), 1),
            ["resident with 100,000 topics, MiB, median"] = Math.Round(Median(many, m => m.Resident), 1),
            ["anonymous, MiB, medians"] = string.Create(CultureInfo.InvariantCulture, $"{Median(few, m => m.Anonymous):0.0}, {Median(many, m => m.Anonymous):0.0}"),
            [string.Create(CultureInfo.InvariantCulture, $"target at most {AtMost} MiB more; it is {more:0.0}")] = more <= AtMost ? "met" : "missed",
        };
    }

    async Task<(double Resident, double Anonymous)> OnceAsync(int topics, CancellationToken ct)
    {
        await using var broker = await BenchMosquitto.StartAsync(ct).ConfigureAwait(false);
        await using var gateway = new MqttGateway(broker, "plant/#");
        await gateway.StartAsync(ct).ConfigureAwait(false);
        using (var publisher = await MqttPublisher.ConnectAsync(broker.Port, ct).ConfigureAwait(false))
            await publisher.PublishAsync(options.Messages, i => $"plant/line{i % topics / 100}/device{i % topics}/temperature", "21.5"u8.ToArray(), ct).ConfigureAwait(false);
        await gateway.UntilAsync(options.Messages, ct).ConfigureAwait(false);
        await Task.Delay(Settle, TimeProvider.System, ct).ConfigureAwait(false);
        return gateway.Memory();
    }

    static double Median(List<(double Resident, double Anonymous)> runs, Func<(double Resident, double Anonymous), double> value) => new Ratios(runs.Select(value)).Median;
}
