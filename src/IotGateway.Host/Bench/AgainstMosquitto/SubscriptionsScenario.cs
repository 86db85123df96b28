using System.Text.Json.Nodes;

namespace IotGateway.Host.Bench.AgainstMosquitto;

/// <summary>A connector with 10,000 subscriptions: how long it takes to be subscribed, and that a message under each of them arrives.</summary>
static class SubscriptionsScenario
{
    const int Subscriptions = 10_000;

    public static async Task<JsonObject> RunAsync(CancellationToken ct)
    {
        await using var broker = await BenchMosquitto.StartAsync(ct).ConfigureAwait(false);
        await using var gateway = new MqttGateway(broker, Enumerable.Range(0, Subscriptions).Select(i => $"plant/device{i}/+"));
        var started = TimeProvider.System.GetTimestamp();
        await gateway.StartAsync(ct).ConfigureAwait(false);
        var subscribed = TimeProvider.System.GetElapsedTime(started);
        started = TimeProvider.System.GetTimestamp();
        using (var publisher = await MqttPublisher.ConnectAsync(broker.Port, ct).ConfigureAwait(false))
            await publisher.PublishAsync(Subscriptions, i => $"plant/device{i}/temperature", "21.5"u8.ToArray(), ct).ConfigureAwait(false);
        await gateway.UntilAsync(Subscriptions, ct).ConfigureAwait(false);
        var elapsed = TimeProvider.System.GetElapsedTime(started);
        var (resident, anonymous) = gateway.Memory();
        return new()
        {
            ["start to all subscribed, s"] = Math.Round(subscribed.TotalSeconds, 2),
            ["a message under each, publish to log, s"] = Math.Round(elapsed.TotalSeconds, 2),
            ["messages in the log"] = gateway.Records(),
            ["resident, MiB"] = Math.Round(resident, 1),
            ["anonymous, MiB"] = Math.Round(anonymous, 1),
        };
    }
}
