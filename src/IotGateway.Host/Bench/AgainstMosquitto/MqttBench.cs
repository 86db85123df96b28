using System.Text.Json.Nodes;

namespace IotGateway.Host.Bench.AgainstMosquitto;

/// <summary>
/// MQTT into the synced log beside what mosquitto's own subscriber does with the same broker: the same machine, version, session, window and
/// messages, in turns. Messages are counted by the log's offsets, processor time by the kernel. Needs a quiet machine.
/// </summary>
sealed class MqttBench(MqttBenchOptions options)
{
    /// <summary>The scenarios, in the order they run.</summary>
    public static readonly IReadOnlyDictionary<string, Func<MqttBench, CancellationToken, Task<JsonObject>>> Scenarios = new Dictionary<string, Func<MqttBench, CancellationToken, Task<JsonObject>>>
    {
        ["queued-100"] = (b, ct) => new RateScenario(b.Options, 100, live: false).RunAsync(ct),
        ["queued-1000"] = (b, ct) => new RateScenario(b.Options, 1000, live: false).RunAsync(ct),
        ["live-100"] = (b, ct) => new RateScenario(b.Options, 100, live: true).RunAsync(ct),
        ["live-1000"] = (b, ct) => new RateScenario(b.Options, 1000, live: true).RunAsync(ct),
        ["latency"] = (b, ct) => new LatencyScenario(b.Options).RunAsync(ct),
        ["subscriptions"] = (_, ct) => SubscriptionsScenario.RunAsync(ct),
        ["topics"] = (b, ct) => new TopicsScenario(b.Options).RunAsync(ct),
    };

    public MqttBenchOptions Options => options;

    public static async Task<JsonObject> RunAsync(MqttBenchOptions options, Action<string, JsonObject> tell, CancellationToken ct)
    {
        var all = new JsonObject { ["rounds"] = options.Rounds, ["messages a run"] = options.Messages };
        foreach (var (name, run) in Scenarios.Where(s => options.Only.Count == 0 || options.Only.Contains(s.Key)))
        {
            var figures = await run(new(options), ct).ConfigureAwait(false);
            tell(name, figures);
            all[name] = figures;
        }
        return all;
    }
}
