using System.Globalization;
using System.Text.Json.Nodes;
using IotGateway.Host.Cli;

namespace IotGateway.Host.Bench.AgainstKafka;

/// <summary>
/// The log and its broker beside Apache Kafka: same machine, disk, clients and load, in turns. Each scenario is told as soon as it is done. Needs a
/// quiet machine; where the two programs' own runs differ by more than 3 % among themselves, the verdict says so.
/// </summary>
sealed class LogBench : IAsyncDisposable
{
    /// <summary>The scenarios, in the order they run; each but the last two uses the same two servers.</summary>
    public static readonly IReadOnlyDictionary<string, Func<LogBench, CancellationToken, Task<JsonObject>>> Scenarios = new Dictionary<string, Func<LogBench, CancellationToken, Task<JsonObject>>>
    {
        ["produce"] = (b, ct) => b.Produce(synced: false, 1).RunAsync(ct),
        ["synced"] = (b, ct) => b.Produce(synced: true, 0.9).RunAsync(ct),
        ["fetch"] = (b, ct) => new FetchScenario(b).RunAsync(ct),
        ["catch-up"] = (b, ct) => new CatchUpScenario(b).RunAsync(ct),
        ["java"] = (b, ct) => new JavaScenario(b).RunAsync(ct),
        ["memory"] = (b, ct) => new MemoryScenario(b).RunAsync(ct),
        ["disk"] = (b, ct) => new DiskScenario(b).RunAsync(ct),
        ["slow-disk"] = (b, ct) => new SlowDiskScenario(b).RunAsync(ct),
        ["start"] = (b, ct) => new StartScenario(b).RunAsync(ct),
    };

    const double Fast100 = 1_500_000, Fast1000 = 400_000; // records per second of the slower client of the two, about
    const int RunsInMemory = 16; // deleted topics give their memory back, one or two runs later
    GatewayServer? _gateway;
    KafkaServer? _kafka;

    LogBench(LogBenchOptions options, Tools tools) => (Options, Tools, Clients) = (options, tools, new(tools.Performance, options.Kafka));

    public LogBenchOptions Options { get; }
    public Tools Tools { get; }
    public Clients Clients { get; }

    /// <summary>Record sizes, and how many records a run of the wanted length has.</summary>
    public IEnumerable<(int Size, long Records)> Sizes => [(100, (long)(Fast100 * Options.Seconds)), (1000, (long)(Fast1000 * Options.Seconds))];

    public static async Task<JsonObject> RunAsync(LogBenchOptions options, Action<string, JsonObject> tell, CancellationToken ct)
    {
        await using var bench = new LogBench(options, await Tools.MakeAsync(ct).ConfigureAwait(false));
        var all = new JsonObject
        {
            ["memory touched before, GiB"] = Math.Round(WarmMemory.Touch((long)(RunsInMemory * Fast1000 * 1000 * options.Seconds)) / (double)(1 << 30), 1),
            ["rounds"] = options.Rounds,
            ["seconds a run"] = options.Seconds,
        };
        foreach (var (name, run) in Scenarios.Where(s => options.Only.Count == 0 || options.Only.Contains(s.Key)))
        {
            var figures = await run(bench, ct).ConfigureAwait(false);
            tell(name, figures);
            all[name] = figures;
        }
        return all;
    }

    /// <summary>The two programs, started when first asked for.</summary>
    public async Task<(GatewayServer Gateway, KafkaServer Kafka)> ServersAsync(CancellationToken ct)
    {
        if (_gateway is null || _kafka is null)
        {
            (_gateway, _kafka) = (new GatewayServer(), new KafkaServer(Options.Kafka));
            await _kafka.StartAsync(ct).ConfigureAwait(false);
            await _gateway.StartAsync(ct).ConfigureAwait(false);
            await _kafka.ReadyAsync(ct).ConfigureAwait(false);
            await _gateway.ReadyAsync(ct).ConfigureAwait(false);
            await _gateway.QuietAsync(ct).ConfigureAwait(false);
        }
        return (_gateway, _kafka);
    }

    public async ValueTask DisposeAsync()
    {
        if (_gateway is not null) await _gateway.DisposeAsync().ConfigureAwait(false);
        if (_kafka is not null) await _kafka.DisposeAsync().ConfigureAwait(false);
    }

    ProduceScenario Produce(bool synced, double target) => new(this, synced, target);
}
