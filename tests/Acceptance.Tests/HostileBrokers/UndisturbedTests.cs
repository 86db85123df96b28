using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Confluent.Kafka;

namespace Acceptance.Tests.HostileBrokers;

/// <summary>
/// R15: how much slower the connector of an honest broker is while those of eight others are fed garbage, drips and silence. Rounds in turns, <c>HOSTILE_ROUNDS</c>
/// of each kind (3 unless told); with 20 or more the medians are held to what is promised, at most a tenth slower, with fewer to no more than a hint of it.
/// </summary>
public sealed class UndisturbedTests
{
    const int Messages = 10_000;
    const int Measured = 20; // rounds from which on the figure counts

    static readonly int Rounds = Machine.Setting("HOSTILE_ROUNDS", 3);

    volatile bool _misbehaving;
    int _garbage;

    [Fact]
    public async Task The_connector_of_an_honest_broker_keeps_its_pace_while_others_are_fed_garbage()
    {
        await using var honest = await Mosquitto.StartAsync();
        var gateway = new GatewayUnderTest();
        var hostile = new List<HostileBroker>();
        try
        {
            gateway.Connector("honest", Config(honest.Port));
            for (var i = 0; i < 8; i++)
            {
                hostile.Add(new HostileBroker((i % 4) switch { 0 => MalformedAsync, 1 => DeafAsync, 2 => DripAsync, _ => NoMqttAsync }));
                gateway.Connector($"hostile{i}", Config(hostile[^1].Port));
            }
            await gateway.StartAsync();
            await gateway.RunningAsync("honest");
            using var consumer = new ConsumerBuilder<Ignore, Ignore>(new ConsumerConfig { BootstrapServers = gateway.Broker, GroupId = "end" }).SetLogHandler((_, _) => { }).Build();
            await RoundAsync(honest, consumer, 0); // the first one makes topic and code
            var (quiet, disturbed) = (new List<double>(), new List<double>());
            var least = Rounds >= Measured ? 0.9 : 0.4;
            // A few short rounds may meet other work of the machine: only what stays slow over four times as many is slow.
            var most = Rounds >= Measured ? Rounds : 4 * Rounds;
            for (var round = 0; round < 2 * Rounds || (round < 2 * most && (round % 2 == 1 || Median(quiet) / Median(disturbed) < least)); round++)
            {
                var before = Volatile.Read(ref _garbage);
                _misbehaving = round % 4 is 1 or 2; // quiet, disturbed, disturbed, quiet
                if (_misbehaving) await Eventually.TrueAsync(() => Volatile.Read(ref _garbage) > before + 4, 60, () => $"nobody misbehaves:\n{gateway.Log}");
                (_misbehaving ? disturbed : quiet).Add(await RoundAsync(honest, consumer, (round + 1L) * Messages));
            }
            var ratio = Median(quiet) / Median(disturbed);
            TestContext.Current.TestOutputHelper!.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{quiet.Count} rounds each of {Messages} messages: median {Messages / Median(quiet):0} messages/s in quiet, {Messages / Median(disturbed):0} among hostile brokers, ratio {ratio:0.00}; {_garbage} times garbage, {hostile.Sum(h => h.Connections)} connections"));
            Assert.True(ratio >= least, string.Create(CultureInfo.InvariantCulture, $"ratio {ratio:0.00}: quiet {string.Join(" ", quiet)} s, among hostile brokers {string.Join(" ", disturbed)} s"));
            await gateway.StopAsync();
        }
        finally
        {
            await gateway.DisposeAsync();
            foreach (var broker in hostile) await broker.DisposeAsync();
        }
    }

    /// <summary>Seconds from the first message published to the last one in the log.</summary>
    static async Task<double> RoundAsync(Mosquitto broker, IConsumer<Ignore, Ignore> consumer, long before)
    {
        var watch = Stopwatch.StartNew();
        await broker.PublishAsync("t/x", Enumerable.Range(0, Messages).Select(n => n.ToString("D20", CultureInfo.InvariantCulture)), 120);
        await Eventually.TrueAsync(() => consumer.QueryWatermarkOffsets(new TopicPartition("honest", 0), TimeSpan.FromSeconds(30)).High.Value >= before + Messages, 120, () => "not all are stored");
        return watch.Elapsed.TotalSeconds;
    }

    static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    async Task MalformedAsync(Stream stream, CancellationToken ct)
    {
        await HostileBroker.WelcomeAsync(stream, ct);
        await WhileQuietAsync(stream, ct);
        Interlocked.Increment(ref _garbage);
        await stream.WriteAsync(new byte[] { 0x30, 6, 0, 2, 0xC0, 0x80, 0, (byte)'x' }, ct);
        await Task.Delay(Timeout.InfiniteTimeSpan, ct);
    }

    async Task DeafAsync(Stream stream, CancellationToken ct)
    {
        await HostileBroker.WelcomeAsync(stream, ct);
        await WhileQuietAsync(stream, ct);
        Interlocked.Increment(ref _garbage);
        await Task.Delay(Timeout.InfiniteTimeSpan, ct); // reads nothing and says nothing
    }

    async Task DripAsync(Stream stream, CancellationToken ct)
    {
        await HostileBroker.WelcomeAsync(stream, ct);
        await WhileQuietAsync(stream, ct);
        Interlocked.Increment(ref _garbage);
        foreach (var b in HostileBroker.Publish("t/x", 10_000))
        {
            await stream.WriteAsync(new[] { b }, ct);
            await Task.Delay(100, ct);
        }
    }

    async Task NoMqttAsync(Stream stream, CancellationToken ct)
    {
        if (!_misbehaving)
        {
            await HostileBroker.WelcomeAsync(stream, ct);
            await WhileQuietAsync(stream, ct);
        }
        Interlocked.Increment(ref _garbage);
        await stream.WriteAsync(new byte[64 << 10], ct); // what no MQTT packet begins with
    }

    /// <summary>An honest broker that has nothing to say: answers PINGREQ until it is told to misbehave.</summary>
    async Task WhileQuietAsync(Stream stream, CancellationToken ct)
    {
        while (!_misbehaving)
        {
            await HostileBroker.PacketAsync(stream, ct);
            await stream.WriteAsync(new byte[] { 0xD0, 0 }, ct);
        }
    }

    static JsonObject Config(int port) => new()
    {
        ["connector"] = "mqtt", ["endpoint"] = $"mqtt://127.0.0.1:{port}", ["version"] = "5.0", ["keepAlive"] = "1s", ["timeout"] = "2s",
        ["subscriptions"] = new JsonArray(new JsonObject { ["filter"] = "t/#" }), ["retry"] = new JsonObject { ["initial"] = "200ms", ["max"] = "300ms" },
    };
}
