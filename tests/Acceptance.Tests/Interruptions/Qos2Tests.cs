using System.Text.Json.Nodes;

namespace Acceptance.Tests.Interruptions;

/// <summary>
/// R16: a stream of unique messages of QoS 2, and the exchange of one of them cut at each of its steps, <c>QOS2_INTERRUPTIONS</c> times at each (2 unless told): the
/// connection stands still exactly before or behind the packet, then it is reset, or the gateway is killed and started again. Every message is in the log once.
/// </summary>
public sealed class Qos2Tests
{
    const string Topic = "exactly";

    static readonly int Each = Machine.Setting("QOS2_INTERRUPTIONS", 2);

    [Theory]
    [InlineData("5.0")]
    [InlineData("3.1.1")]
    public async Task Each_message_is_in_the_log_once_wherever_its_exchange_is_cut(string version)
    {
        var output = TestContext.Current.TestOutputHelper!;
        output.WriteLine($"SEED={Machine.Seed} QOS2_INTERRUPTIONS={Each}");
        await using var broker = await PersistentMosquitto.MakeAsync();
        await broker.StartAsync();
        await using var proxy = new CuttingProxy(broker.Port);
        await using var gateway = new GatewayUnderTest();
        gateway.Connector("plant", new JsonObject
        {
            ["connector"] = "mqtt", ["endpoint"] = $"mqtt://127.0.0.1:{proxy.Port}", ["version"] = version, ["clientId"] = "gateway",
            ["subscriptions"] = new JsonArray(new JsonObject { ["filter"] = "plant/#", ["qos"] = 2 }), ["topic"] = Topic, ["format"] = "raw",
            ["retry"] = new JsonObject { ["initial"] = "50ms", ["max"] = "200ms" },
        });
        await gateway.StartAsync();
        await gateway.RunningAsync("plant");
        await using var publisher = new UniquePublisher(broker.Port, null, ("plant/a", 2));
        using var log = new InterruptedLog(gateway.Broker, Topic);
        string Context() => $"SEED={Machine.Seed}; publisher: {publisher.Trouble}; data kept in {gateway.Keep()}\n{gateway.Log}";

        var (random, kills) = (new Random(Machine.Seed), 0);
        var points = CutPoint.OfQos2.SelectMany(p => Enumerable.Range(0, Each).Select(n => (Point: p, Kill: n % 2 == 0))).ToArray();
        random.Shuffle(points);
        foreach (var (point, kill) in points)
        {
            var before = proxy.Witness.Count;
            await Eventually.TrueAsync(() => proxy.Witness.Count > before + random.Next(1, 40), 60, () => $"no progress before the cut {point.Name}: {Context()}");
            await proxy.StopAtAsync(point).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
            if (kill)
            {
                await gateway.KillAsync();
                kills++;
            }
            await proxy.EndAsync();
            if (kill) await gateway.StartAsync();
        }
        publisher.Hold(true);
        await Eventually.TrueAsync(() =>
        {
            log.Read();
            return log.Missing(publisher.Accepted).Count == 0;
        }, 120, () => $"lost: {string.Join(", ", log.Missing(publisher.Accepted).Take(10))}. {Context()}");
        output.WriteLine($"{points.Length} cuts, {kills} of them by kill -9, {Each} at each of {string.Join(", ", CutPoint.OfQos2.Select(p => p.Name))}; {log.Distinct} messages, {proxy.Witness.Marked} sent again with DUP, {log.Doubled} doubled, {log.Disordered.Count} out of order");
        Assert.True(log.Doubled == 0, $"{log.Doubled} doubled. {Context()}");
        Assert.True(log.Missing(proxy.Witness.Acknowledged) is [], $"acknowledged and not in the log: {string.Join(", ", log.Missing(proxy.Witness.Acknowledged).Take(10))}. {Context()}");
        Assert.True(log.Disordered.Count == 0, $"out of order: {string.Join("; ", log.Disordered.Take(10))}. {Context()}");
    }
}
