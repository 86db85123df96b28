using System.Text.Json.Nodes;

namespace Acceptance.Tests.Interruptions;

/// <summary>
/// R16: unique payloads at QoS 1 and 2 through a persistent session, while the gateway is killed, the connection is cut with whatever is on it, and
/// the broker is ended or killed. <c>MQTT_INTERRUPTIONS</c> of them (30 unless told), half with mosquitto, the rest with the two other brokers.
/// </summary>
public sealed class InterruptionTests
{
    const string Topic = "interrupted";

    static readonly int Total = Machine.Setting("MQTT_INTERRUPTIONS", 30);

    static readonly (string Name, int Qos)[] Topics = [("plant/a", 1), ("plant/b", 2), ("plant/c", 1)];

    [Fact]
    public async Task Mosquitto() => await RunAsync(await PersistentMosquitto.MakeAsync(), Total - 2 * (Total / 4));

    [Fact]
    public async Task Aedes() => await RunAsync(await Interruptions.Aedes.MakeAsync(), Total / 4);

    [Fact]
    public async Task Ejabberd() => await RunAsync(await Interruptions.Ejabberd.MakeAsync(), Total / 4);

    static async Task RunAsync(InterruptedBroker broker, int interruptions)
    {
        var output = TestContext.Current.TestOutputHelper!;
        output.WriteLine($"SEED={Machine.Seed} MQTT_INTERRUPTIONS={Total}: {interruptions} here");
        await using var _ = broker;
        await broker.StartAsync();
        await using var proxy = new CuttingProxy(broker.Port);
        await using var gateway = new GatewayUnderTest();
        gateway.Connector("plant", Connector(broker, proxy.Port));
        await gateway.StartAsync();
        await gateway.RunningAsync("plant");
        await using var publisher = new UniquePublisher(broker.Port, broker.User("publisher"), Topics);
        using var log = new InterruptedLog(gateway.Broker, Topic);
        string Context() => $"SEED={Machine.Seed}; publisher: {publisher.Trouble}; data kept in {gateway.Keep()}\n{gateway.Log}";

        var random = new Random(Machine.Seed);
        var done = new Dictionary<string, int>();
        for (var i = 1; i <= interruptions; i++)
        {
            var before = proxy.Witness.Count;
            await Eventually.TrueAsync(() => proxy.Witness.Count > before + 20, 60, () => $"no progress before interruption {i}: {Context()}");
            await Task.Delay(random.Next(0, 300), TestContext.Current.CancellationToken);
            var what = await InterruptAsync(broker, gateway, proxy, publisher, log, random);
            done[what] = done.GetValueOrDefault(what) + 1;
            if (i % 25 != 0) continue;
            log.Read();
            output.WriteLine($"{TimeProvider.System.GetLocalNow():T} {i}: {log.Distinct} messages, {log.Doubled} doubled, {log.Replayed} replayed");
        }
        publisher.Hold(true);
        await Eventually.TrueAsync(() =>
        {
            log.Read();
            return log.Missing(publisher.Accepted).Count == 0;
        }, 120, () => $"lost: {string.Join(", ", log.Missing(publisher.Accepted).Take(10))}. {Context()}");
        output.WriteLine($"{string.Join(", ", done.OrderBy(d => d.Key, StringComparer.Ordinal).Select(d => $"{d.Value} × {d.Key}"))}; {log.Distinct} messages, {proxy.Witness.Marked} sent again with DUP, "
            + $"{log.Doubled} doubled, {log.Replayed} replayed by a killed broker, {proxy.Witness.InDoubt} identifiers in doubt, {log.Disordered.Count} out of order");
        Assert.True(log.Missing(proxy.Witness.Acknowledged) is [], $"acknowledged by the gateway and not in its log: {string.Join(", ", log.Missing(proxy.Witness.Acknowledged).Take(10))}. {Context()}");
        var ours = log.Disordered.Where(d => !proxy.Witness.Overtook(d.Later, d.Behind)).ToList();
        Assert.True(ours.Count == 0, $"out of order though the broker sent them in order: {string.Join("; ", ours.Take(10))}. {Context()}");
        Assert.True(log.Disordered.Count == 0 || !broker.KeepsOrder, $"{log.Disordered.Count} sent out of order by the broker: {string.Join("; ", log.Disordered.Take(10))}. {Context()}");
        Assert.True(log.Doubled <= (broker.MarksDup ? 0 : proxy.Witness.InDoubt), $"{log.Doubled} doubled. {Context()}");
    }

    static async Task<string> InterruptAsync(InterruptedBroker broker, GatewayUnderTest gateway, CuttingProxy proxy, UniquePublisher publisher, InterruptedLog log, Random random)
    {
        switch (random.Next(broker.KeepsSessions ? 10 : 8))
        {
            case < 4:
                await gateway.KillAsync();
                await gateway.StartAsync();
                return "kill -9 of the gateway";
            case 4:
                await proxy.CutAsync(loseAcks: false, loseMessages: false, 0);
                return "reset";
            case < 7:
                await proxy.CutAsync(loseAcks: true, loseMessages: false, random.Next(5, 80));
                return "acknowledgements lost, then reset";
            case 7:
                await proxy.CutAsync(loseAcks: false, loseMessages: true, random.Next(5, 80));
                return "messages lost, then reset";
            case 8:
                await broker.EndAsync(Signals.Term);
                await broker.StartAsync();
                return "SIGTERM of the broker";
            default:
                await KillBrokerAsync(broker, proxy, publisher, log);
                return "kill -9 of the broker";
        }
    }

    /// <summary>What the broker took over and did not deliver is lost with it, and publishing waits until the gateway's session is there again.</summary>
    static async Task KillBrokerAsync(InterruptedBroker broker, CuttingProxy proxy, UniquePublisher publisher, InterruptedLog log)
    {
        await broker.EndAsync(Signals.Kill);
        publisher.Hold(true);
        await Eventually.TrueAsync(() => !proxy.IsConnected, 30, () => "the proxy still has a connection to the dead broker.");
        long end;
        do // what the gateway had received goes into the log, or never
        {
            end = log.End();
            await Task.Delay(300, TestContext.Current.CancellationToken);
        }
        while (log.End() != end);
        log.ExpectReplays(publisher.Next);
        publisher.Forgive();
        var subscribed = proxy.Witness.Subscribed;
        await broker.StartAsync();
        await Eventually.TrueAsync(() => proxy.Witness.Subscribed > subscribed, 60, () => "the gateway did not subscribe again.");
        publisher.Hold(false);
    }

    static JsonObject Connector(InterruptedBroker broker, int port)
    {
        var connector = new JsonObject
        {
            ["connector"] = "mqtt",
            ["endpoint"] = $"mqtt://127.0.0.1:{port}",
            ["version"] = broker.Version,
            ["clientId"] = "gateway",
            ["subscriptions"] = new JsonArray(new JsonObject { ["filter"] = "plant/#", ["qos"] = 2 }),
            ["topic"] = Topic,
            ["format"] = "raw",
            ["retry"] = new JsonObject { ["initial"] = "100ms", ["max"] = "500ms" },
        };
        if (broker.User("gateway") is { } user) (connector["username"], connector["password"]) = (user, "x");
        return connector;
    }
}
