using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Confluent.Kafka;

namespace IotGateway.Host.Bench.AgainstMosquitto;

/// <summary>
/// From publishing to readable in the log by an ordinary Kafka client, and to the output of <c>mosquitto_sub</c> beside it, at 1,000 messages a
/// second (W12). Publisher and both readers share one clock. What a sync costs is measured before and after, while nothing else runs.
/// </summary>
sealed class LatencyScenario(MqttBenchOptions options)
{
    const int PerSecond = 1_000, Size = 100, Mark = 20;
    const double AtMost = 5, AtMostOverHop = 2; // ms, on top of the sync's p99
    static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(3);

    public async Task<JsonObject> RunAsync(CancellationToken ct)
    {
        await using var broker = await BenchMosquitto.StartAsync(ct).ConfigureAwait(false);
        await using var gateway = new MqttGateway(broker, "latency/#");
        await gateway.StartAsync(ct).ConfigureAwait(false);
        var before = SyncProbe.P99(gateway.Root);
        var time = TimeSpan.FromSeconds(Math.Max(1, 4 * options.Rounds));
        var count = (int)(PerSecond * (WarmUp + time).TotalSeconds);
        using var done = CancellationTokenSource.CreateLinkedTokenSource(ct);
        done.CancelAfter(WarmUp + time + TimeSpan.FromSeconds(30));
        var log = Task.Run(() => ReadLog(gateway.Bootstrap, count, done.Token), CancellationToken.None);
        var hop = ReadHopAsync(broker, count, done.Token);
        using (var publisher = await MqttPublisher.ConnectAsync(broker.Port, ct).ConfigureAwait(false))
            await publisher.PaceAsync("latency/x", PerSecond, WarmUp + time, Size, ct).ConfigureAwait(false);
        var (toLog, toHop) = (await log.ConfigureAwait(false), await hop.ConfigureAwait(false));
        var after = SyncProbe.P99(gateway.Root);
        var (p99, hop99, sync) = (SyncProbe.Percentile(toLog, 0.99), SyncProbe.Percentile(toHop, 0.99), Math.Max(before, after));
        return new()
        {
            ["messages a second, counted"] = $"{PerSecond}, {toLog.Count}",
            ["publish to readable in the log, p50, ms"] = Math.Round(SyncProbe.Percentile(toLog, 0.5), 2),
            ["publish to readable in the log, p99, ms"] = Math.Round(p99, 2),
            ["publish to mosquitto_sub, p50, ms"] = Math.Round(SyncProbe.Percentile(toHop, 0.5), 2),
            ["publish to mosquitto_sub, p99, ms"] = Math.Round(hop99, 2),
            ["sync p99 before and after, ms"] = string.Create(CultureInfo.InvariantCulture, $"{before:0.00}, {after:0.00}"),
            [string.Create(CultureInfo.InvariantCulture, $"target p99 {AtMost} ms + sync p99 = {AtMost + sync:0.00}")] = p99 <= AtMost + sync ? "met" : "missed",
            [string.Create(CultureInfo.InvariantCulture, $"mosquitto_sub p99 + sync p99 + {AtMostOverHop} ms = {hop99 + sync + AtMostOverHop:0.00}")] = p99 <= hop99 + sync + AtMostOverHop ? "met" : "missed",
        };
    }

    static List<double> ReadLog(string bootstrap, int count, CancellationToken ct)
    {
        var times = new List<double>();
        using var consumer = new ConsumerBuilder<Ignore, byte[]>(new ConsumerConfig { BootstrapServers = bootstrap, GroupId = "bench", SocketNagleDisable = true, FetchWaitMaxMs = 500 })
            .SetLogHandler(static (_, _) => { }).Build();
        consumer.Assign(new TopicPartitionOffset(MqttGateway.Topic, 0, Offset.Beginning));
        for (var i = 0; i < count; i++) Note(consumer.Consume(ct).Message.Value, i, times);
        return times;
    }

    static async Task<List<double>> ReadHopAsync(BenchMosquitto broker, int count, CancellationToken ct)
    {
        await broker.SubscribeAsync("hop", "latency/#", ct).ConfigureAwait(false);
        var times = new List<double>();
        using var subscriber = Process.Start(new ProcessStartInfo("stdbuf", ["-oL", "mosquitto_sub", .. broker.Arguments("hop", "latency/#"), "-C", $"{count}"]) { RedirectStandardOutput = true })!;
        for (var i = 0; i < count && await subscriber.StandardOutput.ReadLineAsync(ct).ConfigureAwait(false) is { } line; i++) Note(System.Text.Encoding.ASCII.GetBytes(line), i, times);
        await subscriber.WaitForExitAsync(ct).ConfigureAwait(false);
        return times;
    }

    static void Note(byte[] message, int number, List<double> times)
    {
        if (number < PerSecond * WarmUp.TotalSeconds) return;
        times.Add(TimeProvider.System.GetElapsedTime(long.Parse(System.Text.Encoding.ASCII.GetString(message, 0, Mark), CultureInfo.InvariantCulture)).TotalMilliseconds);
    }
}
