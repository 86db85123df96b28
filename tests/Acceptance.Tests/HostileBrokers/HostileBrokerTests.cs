using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Acceptance.Tests.HostileBrokers;

/// <summary>
/// Brokers that do what they must not, one for each connector of a real gateway, all at once (R15, T5, T11, T21): each connector says what is wrong and tries
/// again at a growing pace, memory stays bounded, no secret gets into the log, and the connector of an honest broker is not disturbed.
/// </summary>
public sealed class HostileBrokerTests : IAsyncLifetime
{
    const string Canary = "canary-7f3a";
    const int Messages = 400;

    readonly string _folder = Directory.CreateTempSubdirectory("iotgateway-hostile-").FullName;
    readonly GatewayUnderTest _gateway = new();
    readonly Dictionary<string, (HostileBroker Broker, string Words, int Most)> _hostile = [];

    public ValueTask InitializeAsync() => default;

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        foreach (var (broker, _, _) in _hostile.Values) await broker.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task They_are_told_retried_at_a_growing_pace_and_disturb_nobody()
    {
        _gateway.Environment["CANARY"] = Canary;
        await using var honest = await Mosquitto.StartAsync();
        _gateway.Connector("honest", Config(honest.Port));
        AddProtocol();
        AddTime();
        AddSize();
        AddCertificates();
        await _gateway.StartAsync();
        await _gateway.RunningAsync("honest");
        var before = Resident();
        for (var i = 0; i < Messages; i += 100)
        {
            await honest.PublishAsync("t/x", Enumerable.Range(i, 100).Select(n => n.ToString(CultureInfo.InvariantCulture)), 30);
            await Task.Delay(2_500, TestContext.Current.CancellationToken);
        }
        foreach (var (name, (broker, words, _)) in _hostile)
        {
            JsonObject? state = null;
            await Eventually.TrueAsync(() => broker.Connections >= 2 || words == "took the session", 60, () => $"{name} was tried {broker.Connections} times.");
            await Eventually.TrueAsync(() => ((string?)(state = _gateway.GetAsync("/api/connectors/" + name).GetAwaiter().GetResult())["tasks"]![0]!["lastError"] ?? "").Contains(words, StringComparison.Ordinal), 60,
                () => $"{name}: '{words}' is not in {state}\n{_gateway.Log}");
        }
        var after = Resident();
        TestContext.Current.TestOutputHelper!.WriteLine($"RSS {before} MiB at the start, {after} MiB at the end; connections: {string.Join(", ", _hostile.Select(h => $"{h.Key} {h.Value.Broker.Connections}"))}");
        Assert.All(_hostile, h => Assert.True(h.Value.Broker.Connections <= h.Value.Most, $"{h.Key} was tried {h.Value.Broker.Connections} times"));
        Assert.InRange(after, 1, before + 300); // two connectors may hold 64 MiB each, and the heap its garbage
        Assert.DoesNotContain(Canary, _gateway.Log, StringComparison.Ordinal);
        var read = await Tool.RunAsync("kcat", ["-b", _gateway.Broker, "-C", "-t", "honest", "-o", "beginning", "-e", "-q"]);
        Assert.Equal(Enumerable.Range(0, Messages).Select(i => i.ToString(CultureInfo.InvariantCulture)), read.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        await _gateway.StopAsync();
    }

    /// <summary>Many distinct topics, each asking for a Kafka topic of its own (T21).</summary>
    [Fact]
    public async Task A_storm_of_topics_makes_no_more_than_the_connector_may()
    {
        _gateway.Environment["CANARY"] = Canary;
        await using var broker = await Mosquitto.StartAsync();
        var config = Config(broker.Port);
        (config["topic"], config["maxTopics"]) = ("storm.${topic[1]}", 50);
        _gateway.Connector("storm", config);
        await _gateway.StartAsync();
        await _gateway.RunningAsync("storm");
        var lines = string.Join(" ", Enumerable.Range(0, 300));
        await Tool.RunAsync("bash", ["-c", $"for i in {lines}; do mosquitto_pub -h 127.0.0.1 -p {broker.Port} -q 1 -t t/$i -m x || exit 1; done"], 120);
        JsonObject? state = null;
        await Eventually.TrueAsync(() => (int)(state = _gateway.GetAsync("/api/connectors/storm").GetAwaiter().GetResult())["deadLetters"]! == 250, 60, () => $"{state}");
        var topics = await _gateway.CliAsync("topics");
        Assert.Equal(50, topics.Split('\n').Count(l => l.StartsWith("storm.", StringComparison.Ordinal)));
    }

    void AddProtocol()
    {
        Add("garbage", (stream, ct) => stream.WriteAsync(Encoding.ASCII.GetBytes("HTTP/1.1 400 Bad Request\r\n\r\n"), ct).AsTask(), "does not speak MQTT");
        AddRunning("utf8", [0x30, 6, 0, 2, 0xC0, 0x80, 0, (byte)'x'], "0x81 malformed packet");
        AddRunning("wildcard", [0x30, 6, 0, 3, (byte)'a', (byte)'/', (byte)'#', 0], "0x90 topic name invalid");
        AddRunning("emptytopic", [0x30, 3, 0, 0, 0], "0x82 protocol error");
        AddRunning("wrongid", [0x90, 4, 0x77, 0x77, 0, 0], "0x82 protocol error");
        AddRunning("huge", [0x30, 0xFF, 0xFF, 0xFF, 0x7F], "0x95 packet too large");
        AddRunning("shutdown", [0xE0, 2, 0x8B, 0], "0x8b server shutting down");
        Add("takeover", async (stream, ct) =>
        {
            await HostileBroker.WelcomeAsync(stream, ct);
            await stream.WriteAsync(new byte[] { 0xE0, 2, 0x8E, 0 }, ct);
            await WaitAsync(ct);
        }, "took the session", most: 1);
        Add("properties", async (stream, ct) =>
        {
            await HostileBroker.PacketAsync(stream, ct);
            byte[] user = [0x26, 0, 0, 0, 0];
            byte[] properties = [.. Enumerable.Repeat(user, 20_000).SelectMany(u => u)]; // 100,000 bytes
            await stream.WriteAsync(new byte[] { 0x20, 0xA5, 0x8D, 0x06, 0, 0, 0xA0, 0x8D, 0x06 }, ct); // 100,005 and 100,000
            await stream.WriteAsync(properties, ct);
            await WaitAsync(ct);
        }, "0x97 quota exceeded");
    }

    void AddTime()
    {
        Add("silent", (_, ct) => WaitAsync(ct), "did not answer within 1 s");
        Add("drip", async (stream, ct) =>
        {
            foreach (var b in new byte[] { 0x20, 0x7F, 0, 0, 0x7C }) await DripAsync(stream, b, ct);
            await WaitAsync(ct);
        }, "did not answer within 1 s");
        Add("dripmessage", async (stream, ct) =>
        {
            await HostileBroker.WelcomeAsync(stream, ct);
            foreach (var b in HostileBroker.Publish("t/x", 10_000)) await DripAsync(stream, b, ct);
        }, "did not answer a PINGREQ");
        Add("deaf", async (stream, ct) =>
        {
            await HostileBroker.WelcomeAsync(stream, ct);
            await WaitAsync(ct); // reads nothing and says nothing
        }, "did not answer a PINGREQ");
    }

    void AddSize()
    {
        // As much as there is room for, as fast as it can, and never an end: QoS 0 is dropped and counted, reading goes on.
        var flood = HostileBroker.Publish("t/x", 1 << 20);
        Add("flood", async (stream, ct) =>
        {
            await HostileBroker.WelcomeAsync(stream, ct);
            for (var i = 0; i < 200; i++) await stream.WriteAsync(flood, ct);
            await stream.WriteAsync(new byte[] { 0xE0, 2, 0x97, 0 }, ct);
            await WaitAsync(ct);
        }, "0x97 quota exceeded");
    }

    void AddCertificates()
    {
        using var ours = new Authority(_folder, "ours");
        using var theirs = new Authority(_folder, "theirs");
        foreach (var (name, certificate, words) in new[]
        {
            ("unknownca", theirs.Sign("127.0.0.1"), "PartialChain"),
            ("expired", ours.Sign("127.0.0.1", expired: true), "NotTimeValid"),
            ("otherhost", ours.Sign("other.plant"), "RemoteCertificateNameMismatch"),
        })
        {
            var broker = new HostileBroker((_, ct) => WaitAsync(ct), certificate);
            var config = Config(broker.Port);
            (config["endpoint"], config["tls"]) = ($"mqtts://127.0.0.1:{broker.Port}", new JsonObject { ["ca"] = ours.File });
            Add(name, broker, config, words, 12);
        }
    }

    void AddRunning(string name, byte[] packet, string words) => Add(name, async (stream, ct) =>
    {
        await HostileBroker.WelcomeAsync(stream, ct);
        await stream.WriteAsync(packet, ct);
        await WaitAsync(ct);
    }, words);

    void Add(string name, Func<Stream, CancellationToken, Task> script, string words, int most = 12)
    {
        var broker = new HostileBroker(script);
        var config = Config(broker.Port);
        if (most == 1) (config["timeout"], config["keepAlive"]) = ("30s", "30s"); // one that is tried once is not to be given up because the machine is slow
        Add(name, broker, config, words, most);
    }

    void Add(string name, HostileBroker broker, JsonObject config, string words, int most)
    {
        _hostile[name] = (broker, words, most);
        _gateway.Connector(name, config);
    }

    static JsonObject Config(int port) => new()
    {
        ["connector"] = "mqtt",
        ["endpoint"] = $"mqtt://127.0.0.1:{port}",
        ["version"] = "5.0",
        ["username"] = "gateway",
        ["password"] = "${env:CANARY}",
        ["keepAlive"] = "1s",
        ["timeout"] = "1s",
        ["subscriptions"] = new JsonArray(new JsonObject { ["filter"] = "t/#" }),
        ["retry"] = new JsonObject { ["initial"] = "500ms", ["max"] = "8s" },
    };

    static Task WaitAsync(CancellationToken ct) => Task.Delay(Timeout.InfiniteTimeSpan, ct);

    static async Task DripAsync(Stream stream, byte b, CancellationToken ct)
    {
        await stream.WriteAsync(new[] { b }, ct);
        await Task.Delay(500, ct);
    }

    int Resident() => int.Parse(File.ReadLines($"/proc/{_gateway.Process!.Process.Id}/status").First(l => l.StartsWith("VmRSS", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
}
