using System.Globalization;
using System.Text.Json.Nodes;
using IotGateway.Host.Bench.AgainstKafka;

namespace IotGateway.Host.Bench.AgainstMosquitto;

/// <summary>
/// How fast messages of QoS 1 get from mosquitto into the synced log, beside <c>mosquitto_sub -q 1 &gt; /dev/null</c>, which keeps nothing, and
/// <c>mosquitto_sub | kcat -P</c> into the same log (W1). Queued: the messages wait at the broker for a session that is away, so that the publisher is
/// not in the figure. Live: a publisher sends as fast as the broker acknowledges. The order of the three changes from round to round.
/// </summary>
sealed class RateScenario(MqttBenchOptions options, int size, bool live)
{
    const string Null = "null", Pipe = "pipe", Piped = "piped";
    const double Target = 0.95, WithBusyBroker = 0.90, Busy = 0.95;

    readonly byte[] _payload = [.. Enumerable.Repeat((byte)'x', size)];

    public async Task<JsonObject> RunAsync(CancellationToken ct)
    {
        await using var broker = await BenchMosquitto.StartAsync(ct).ConfigureAwait(false);
        await using var gateway = new MqttGateway(broker, MqttGateway.ClientId + "/#");
        foreach (var id in new[] { Null, Pipe }) await broker.SubscribeAsync(id, id + "/#", ct).ConfigureAwait(false);
        await gateway.StartAsync(ct).ConfigureAwait(false);
        using (var admin = Cli.KafkaClients.Admin(gateway.Bootstrap)) await admin.CreateTopicsAsync([new() { Name = Piped, NumPartitions = 1, ReplicationFactor = 1 }]).ConfigureAwait(false);
        Func<Task<MqttRun>>[] programs =
        [
            () => ShellAsync(broker, Null, "> /dev/null", ct),
            () => PipedAsync(broker, gateway, ct),
            () => GatewayAsync(broker, gateway, ct),
        ];
        var runs = new List<MqttRun>[] { [], [], [] };
        for (var round = -1; round < options.Rounds; round++) // the first warms up
            for (var i = 0; i < programs.Length; i++)
            {
                var which = (i + round + 1) % programs.Length;
                var run = await programs[which]().ConfigureAwait(false);
                if (round >= 0) runs[which].Add(run);
            }
        return Report(runs[0], runs[1], runs[2]);
    }

    async Task<MqttRun> GatewayAsync(BenchMosquitto broker, MqttGateway gateway, CancellationToken ct)
    {
        var before = gateway.Records();
        if (!live)
        {
            await gateway.PauseAsync(ct).ConfigureAwait(false);
            await PublishAsync(broker, MqttGateway.ClientId, ct).ConfigureAwait(false);
        }
        var cpu = ProcessFigures.Cpu(gateway.Pid);
        var run = await MeasureAsync(broker, async () =>
        {
            if (live) await PublishAsync(broker, MqttGateway.ClientId, ct).ConfigureAwait(false);
            else await gateway.ResumeAsync(ct).ConfigureAwait(false);
            await gateway.UntilAsync(before + options.Messages, ct).ConfigureAwait(false);
            return ProcessFigures.Cpu(gateway.Pid) - cpu;
        }).ConfigureAwait(false);
        return gateway.Records() - before == options.Messages ? run : throw new InvalidDataException($"{gateway.Records() - before} records of {options.Messages} messages.");
    }

    async Task<MqttRun> PipedAsync(BenchMosquitto broker, MqttGateway gateway, CancellationToken ct)
    {
        var before = gateway.Records(Piped);
        var run = await ShellAsync(broker, Pipe, $"| {ShellCommand.Text("kcat", "-P", "-b", gateway.Bootstrap, "-t", Piped)}", ct).ConfigureAwait(false);
        return gateway.Records(Piped) - before == options.Messages ? run : throw new InvalidDataException($"kcat produced {gateway.Records(Piped) - before} records of {options.Messages} messages.");
    }

    async Task<MqttRun> ShellAsync(BenchMosquitto broker, string id, string rest, CancellationToken ct)
    {
        var command = $"{ShellCommand.Text("mosquitto_sub", [.. broker.Arguments(id, id + "/#"), "-C", $"{options.Messages}"])} {rest}";
        if (!live) await PublishAsync(broker, id, ct).ConfigureAwait(false);
        return await MeasureAsync(broker, async () =>
        {
            using var subscriber = ShellCommand.Start(command); // its session exists: nothing is missed before it is connected
            if (live) await PublishAsync(broker, id, ct).ConfigureAwait(false);
            return await subscriber.EndAsync(ct).ConfigureAwait(false);
        }).ConfigureAwait(false);
    }

    async Task<MqttRun> MeasureAsync(BenchMosquitto broker, Func<Task<TimeSpan>> run)
    {
        var (cpu, started) = (ProcessFigures.Cpu(broker.Pid), TimeProvider.System.GetTimestamp());
        var own = await run().ConfigureAwait(false);
        return new(options.Messages, TimeProvider.System.GetElapsedTime(started), own, ProcessFigures.Cpu(broker.Pid) - cpu);
    }

    async Task PublishAsync(BenchMosquitto broker, string id, CancellationToken ct)
    {
        using var publisher = await MqttPublisher.ConnectAsync(broker.Port, ct).ConfigureAwait(false);
        var topic = id + "/x";
        await publisher.PublishAsync(options.Messages, _ => topic, _payload, ct).ConfigureAwait(false);
    }

    static JsonObject Report(List<MqttRun> nothing, List<MqttRun> piped, List<MqttRun> ours)
    {
        var toNull = Ratio(ours, nothing);
        var share = Median(ours, r => r.BrokerShare);
        return new()
        {
            ["mosquitto_sub > /dev/null, msg/s, median"] = Math.Round(Median(nothing, r => r.Rate)),
            ["mosquitto_sub | kcat -P, msg/s, median"] = Math.Round(Median(piped, r => r.Rate)),
            ["gateway, synced, msg/s, median"] = Math.Round(Median(ours, r => r.Rate)),
            ["gateway by mosquitto_sub"] = toNull.ToString(),
            ["gateway by mosquitto_sub | kcat"] = Ratio(ours, piped).ToString(),
            ["processor us/message: mosquitto_sub"] = Math.Round(Median(nothing, r => r.Micros), 2),
            ["processor us/message: mosquitto_sub + kcat"] = Math.Round(Median(piped, r => r.Micros), 2),
            ["processor us/message: gateway"] = Math.Round(Median(ours, r => r.Micros), 2),
            ["mosquitto, share of a core: null, kcat, gateway"] = string.Create(CultureInfo.InvariantCulture,
                $"{Median(nothing, r => r.BrokerShare):P0}, {Median(piped, r => r.BrokerShare):P0}, {share:P0}"),
            [string.Create(CultureInfo.InvariantCulture, $"target {Target} of mosquitto_sub, or {WithBusyBroker} with mosquitto at {Busy:P0}")] =
                !toNull.IsEnough ? "too few rounds to say" : toNull.Median >= Target || (toNull.Median >= WithBusyBroker && share >= Busy) ? "met" : "missed",
        };
    }

    static Ratios Ratio(List<MqttRun> a, List<MqttRun> b) => new(a.Zip(b, (x, y) => x.Rate / y.Rate));

    static double Median(List<MqttRun> runs, Func<MqttRun, double> value) => new Ratios(runs.Select(value)).Median;
}
