using System.Globalization;
using System.Text.Json.Nodes;
using Confluent.Kafka;
using IotGateway.Host.Cli;

namespace IotGateway.Host.Bench;

/// <summary>
/// MQTT QoS 1 to the synced log, beside <c>mosquitto_sub -q 1 &gt; /dev/null</c> on the same broker in the same run. Each round queues
/// messages at the broker for an absent persistent session, then measures how fast they are taken: the publisher is not in the figure.
/// </summary>
static class MqttBench
{
    const int Rounds = 5, Messages = 100_000, Size = 200;

    public static async Task<JsonObject> RunAsync(CancellationToken ct)
    {
        await using var broker = await BenchMosquitto.StartAsync(ct).ConfigureAwait(false);
        using var gateway = new BenchGateway();
        gateway.Connector("plant", new JsonObject
        {
            ["connector"] = "mqtt",
            ["endpoint"] = $"mqtt://127.0.0.1:{broker.Port}",
            ["clientId"] = "gateway",
            ["subscriptions"] = new JsonArray(new JsonObject { ["filter"] = "gateway/#", ["qos"] = 1 }),
            ["topic"] = "mqtt",
            ["format"] = "raw",
        });
        var (nothing, ours, cpu) = (new List<double>(), new List<double>(), new List<double>());
        await broker.ClientAsync("mosquitto_sub", ["-c", "-i", "null", "-q", "1", "-t", "null/#", "-E"], null, ct).ConfigureAwait(false);
        gateway.Start();
        await EndAsync(gateway.Broker, 0, ct).ConfigureAwait(false);
        for (var round = 0; round <= Rounds; round++) // round 0 warms up
        {
            await PublishAsync(broker, "null/x", ct).ConfigureAwait(false);
            var started = TimeProvider.System.GetTimestamp();
            await broker.ClientAsync("mosquitto_sub", ["-c", "-i", "null", "-q", "1", "-t", "null/#", "-C", $"{Messages}"], null, ct).ConfigureAwait(false);
            var rate = Messages / TimeProvider.System.GetElapsedTime(started).TotalSeconds;

            await gateway.EndAsync(kill: false).ConfigureAwait(false);
            await PublishAsync(broker, "gateway/x", ct).ConfigureAwait(false);
            gateway.Start();
            var first = await FirstAsync(gateway.Broker, (long)round * Messages, ct).ConfigureAwait(false);
            var cpuBefore = BenchGateway.Cpu(gateway.Pid);
            started = TimeProvider.System.GetTimestamp();
            await EndAsync(gateway.Broker, (long)(round + 1) * Messages, ct).ConfigureAwait(false);
            var elapsed = TimeProvider.System.GetElapsedTime(started);
            if (round == 0) continue;
            nothing.Add(rate);
            ours.Add(((long)(round + 1) * Messages - first) / elapsed.TotalSeconds);
            cpu.Add((BenchGateway.Cpu(gateway.Pid) - cpuBefore).TotalMicroseconds / ((long)(round + 1) * Messages - first));
        }
        await gateway.EndAsync(kill: false).ConfigureAwait(false);
        return new JsonObject
        {
            ["messages a round, bytes each"] = $"{Messages} x {Size}",
            ["mosquitto_sub > /dev/null, median msg/s"] = Math.Round(Median(nothing)),
            ["gateway, synced log, median msg/s"] = Math.Round(Median(ours)),
            ["ratio, median of rounds"] = Math.Round(Median([.. ours.Zip(nothing, (a, b) => a / b)]), 3),
            ["ratio, lowest and highest"] = string.Create(CultureInfo.InvariantCulture, $"{ours.Zip(nothing, (a, b) => a / b).Min():F3} … {ours.Zip(nothing, (a, b) => a / b).Max():F3}"),
            ["gateway processor, us per message"] = Math.Round(Median(cpu), 1),
        };
    }

    /// <summary>In two runs: mosquitto_pub 2.0 ends at the first acknowledgement that bears the last packet identifier, and identifiers come round after 65,535.</summary>
    static async Task PublishAsync(BenchMosquitto broker, string topic, CancellationToken ct)
    {
        foreach (var run in Enumerable.Range(0, Messages).Chunk(Messages / 2))
            await broker.ClientAsync("mosquitto_pub", ["-t", topic, "-q", "1", "-l"], run.Select(n => n.ToString("D8", CultureInfo.InvariantCulture).PadRight(Size, 'x')), ct).ConfigureAwait(false);
    }

    /// <summary>Waits for the first new messages; returns how many there are then.</summary>
    static Task<long> FirstAsync(string bootstrap, long after, CancellationToken ct) => WaitAsync(bootstrap, n => n > after, ct);

    static Task<long> EndAsync(string bootstrap, long at, CancellationToken ct) => WaitAsync(bootstrap, n => n >= at, ct);

    static Task<long> WaitAsync(string bootstrap, Func<long, bool> enough, CancellationToken ct) => Task.Run(async () =>
    {
        using var consumer = KafkaClients.Consumer(bootstrap, null);
        for (var i = 0; i < 60_000; i++)
        {
            try
            {
                var end = consumer.QueryWatermarkOffsets(new TopicPartition("mqtt", 0), TimeSpan.FromSeconds(5)).High.Value;
                if (enough(end)) return end;
            }
            catch (KafkaException) when (enough(0)) { return 0; } // no topic yet, none needed
            catch (KafkaException e) when (!e.Error.IsFatal) { ct.ThrowIfCancellationRequested(); }
            await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System, ct).ConfigureAwait(false);
        }
        throw new TimeoutException("The messages did not arrive.");
    }, CancellationToken.None);

    static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
