using System.Diagnostics;
using System.Globalization;
using IotGateway.Connectors.Mqtt;
using IotGateway.Sdk;
using IotGateway.Sdk.Config;
using IotGateway.Sdk.Data;
using IotGateway.Tests.Mqtt.Brokers;

namespace IotGateway.Tests.Mqtt.Source;

/// <summary>The connector against a real broker, beyond what every source owes.</summary>
public sealed class MosquittoTests(ITestOutputHelper output)
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("3.1")]
    [InlineData("3.1.1")]
    [InlineData("5.0")]
    public async Task Twenty_thousand_messages_arrive_once_and_in_order(string version)
    {
        await using var broker = await Mosquitto.StartAsync();
        var gateway = new Gateway(broker.Address);
        gateway.Config = gateway.Config with { Version = version };
        await using var run = await gateway.Driver().StartAsync();
        var padding = new string('x', 190);
        var watch = Stopwatch.StartNew();
        await broker.PublishAsync("plant/1", Enumerable.Range(0, 20_000).Select(i => string.Create(CultureInfo.InvariantCulture, $"{i:d6} {padding}")));
        await run.UntilAsync(s => s.Records.Count >= 20_000, timeoutSeconds: 40);
        output.WriteLine($"{20_000 / watch.Elapsed.TotalSeconds:0} messages/s with publisher, {gateway.Store.Batches.Count} batches");
        Assert.Equal(Enumerable.Range(0, 20_000), gateway.Payloads.Select(p => int.Parse(p.AsSpan(0, 6), CultureInfo.InvariantCulture)));
    }

    /// <summary>The window is always full: the broker waits for us, not we for it.</summary>
    [Theory]
    [InlineData("3.1.1")]
    [InlineData("5.0")]
    public async Task A_slow_disk_holds_the_broker_back(string version)
    {
        await using var broker = await Mosquitto.StartAsync();
        var gateway = new Gateway(broker.Address);
        gateway.Config = gateway.Config with { Version = version, ReceiveMaximum = 50 };
        await using var run = await gateway.Driver(_ => Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System)).StartAsync();
        await broker.PublishAsync("plant/1", Enumerable.Range(0, 5_000).Select(i => i.ToString(CultureInfo.InvariantCulture)));
        await run.UntilAsync(s => s.Records.Count >= 5_000, timeoutSeconds: 40);
        Assert.Equal(Enumerable.Range(0, 5_000), gateway.Payloads.Select(p => int.Parse(p, CultureInfo.InvariantCulture)));
    }

    [Theory]
    [InlineData("3.1", CloseReason.Stop, true)]
    [InlineData("3.1", CloseReason.Remove, false)]
    [InlineData("3.1.1", CloseReason.Stop, true)]
    [InlineData("5.0", CloseReason.Stop, true)]
    [InlineData("5.0", CloseReason.Reconfigure, true)]
    [InlineData("3.1.1", CloseReason.Remove, false)]
    [InlineData("5.0", CloseReason.Remove, false)]
    public async Task Only_removing_deletes_the_session(string version, CloseReason why, bool kept)
    {
        await using var broker = await Mosquitto.StartAsync();
        var gateway = new Gateway(broker.Address);
        gateway.Config = gateway.Config with { Version = version };
        var run = await gateway.Driver().StartAsync();
        await run.CloseAsync(why);
        await broker.PublishAsync("plant/1", ["meanwhile"]);
        var next = await gateway.Driver().StartAsync();
        await broker.PublishAsync("plant/1", ["after"]);
        await next.UntilAsync(_ => gateway.Payloads.Contains("after"));
        Assert.Equal(kept ? ["meanwhile", "after"] : ["after"], gateway.Payloads);
        await next.CloseAsync();
    }

    [Fact]
    public async Task A_probe_leaves_no_trace_and_takes_nothing_away()
    {
        await using var broker = await Mosquitto.StartAsync();
        var gateway = new Gateway(broker.Address);
        await using var run = await gateway.Driver().StartAsync();
        var state = gateway.Store.State.Keys.Order().ToArray();
        var probe = gateway.Create();
        await probe.OpenAsync(OpenMode.Probe, Ct);
        await broker.PublishAsync("plant/1", ["x"]);
        await foreach (var batch in probe.ReadAsync(Ct))
        {
            Assert.Equal("x", Gateway.Text(batch.Records[0].Value));
            Assert.Null(batch.OnDurable);
            Assert.Empty(batch.State);
            break;
        }
        await probe.CloseAsync(CloseReason.Stop, Ct);
        await probe.DisposeAsync();
        await run.UntilAsync(s => s.Records.Count == 1);
        Assert.Equal(state, gateway.Store.State.Keys.Where(k => !k.StartsWith("q1/", StringComparison.Ordinal)).Order());
    }

    [Fact]
    public async Task A_filter_taken_out_of_the_configuration_is_unsubscribed()
    {
        await using var broker = await Mosquitto.StartAsync();
        var gateway = new Gateway(broker.Address);
        gateway.Config = gateway.Config with { Subscriptions = [new() { Filter = "a" }, new() { Filter = "b" }] };
        var run = await gateway.Driver().StartAsync();
        await run.CloseAsync(CloseReason.Reconfigure);
        gateway.Config = gateway.Config with { Subscriptions = [new() { Filter = "b" }, new() { Filter = "c" }] };
        var next = await gateway.Driver().StartAsync();
        await next.UntilAsync(s => Gateway.Text(s.State["subscriptions"]).EndsWith(" c", StringComparison.Ordinal));
        foreach (var topic in new[] { "a", "b", "c" }) await broker.PublishAsync(topic, [topic]);
        await next.UntilAsync(_ => gateway.Payloads.Contains("c"));
        Assert.Equal(["b", "c"], gateway.Payloads);
        await next.CloseAsync();
    }

    [Fact]
    public async Task Records_carry_topic_key_headers_and_properties()
    {
        await using var broker = await Mosquitto.StartAsync();
        var gateway = new Gateway(broker.Address);
        gateway.Config = gateway.Config with { Topic = "plant.${topic[1]}", Key = "${clientId}/${topic[1..]}" };
        await using var run = await gateway.Driver().StartAsync();
        await broker.PublishAsync("plant/line1/temp", ["21.5"], 1, "-r", "-V", "5", "-D", "publish", "content-type", "text/plain", "-D", "publish", "response-topic", "r/1",
            "-D", "publish", "correlation-data", "c1", "-D", "publish", "user-property", "site", "north");
        await broker.PublishAsync("plant", ["no level 1"]);
        await run.UntilAsync(s => s.Records.Count == 2);
        var record = gateway.Store.Records[0];
        Assert.Equal(("plant.line1", "gw/line1/temp", "21.5", null), (record.Topic, Gateway.Text(record.Key), Gateway.Text(record.Value), record.Poison));
        Assert.Equal(
            ["mqtt.topic=plant/line1/temp", "mqtt.qos=1", "mqtt.retain=false", "mqtt.dup=false", "mqtt.contentType=text/plain", "mqtt.responseTopic=r/1", "mqtt.correlationData=c1", "mqtt.user.site=north"],
            record.Headers.Select(h => $"{h.Name}={Gateway.Text(h.Value)}").OrderBy(h => Array.FindIndex(s_order, o => h.StartsWith(o, StringComparison.Ordinal))));
        Assert.Contains("topic[1]", gateway.Store.Records[1].Poison, StringComparison.Ordinal);
    }

    static readonly string[] s_order = ["mqtt.topic", "mqtt.qos", "mqtt.retain", "mqtt.dup", "mqtt.content", "mqtt.response", "mqtt.correlation", "mqtt.user"];

    [Fact]
    public async Task Plain_payloads_become_readings_and_others_poison()
    {
        await using var broker = await Mosquitto.StartAsync();
        var gateway = new Gateway(broker.Address);
        gateway.Config = gateway.Config with
        {
            Format = MqttFormat.Json, Device = "${topic[1]}", Tag = "${topic[2..]}",
            Subscriptions = [new() { Filter = "plant/+/state", Type = DataType.String, Device = "states", Tag = "${topic[1]}" }, new() { Filter = "plant/#", Unit = "°C" }],
        };
        await using var run = await gateway.Driver().StartAsync();
        await broker.PublishAsync("plant/line1/temp/in", ["21.5", "hot"]);
        await broker.PublishAsync("plant/line1/state", ["running"]);
        await run.UntilAsync(s => s.Readings.Count + s.Records.Count == 4);
        // "running" matches both filters: each has its own mapping, and as a number it is poison.
        Assert.Equal([("line1/temp/in", "21.5", "°C"), ("states/line1", "running", null)], gateway.Store.Readings.Select(r => (r.Tag.ToString(), r.Value.ToString(), r.Tag.Unit)));
        Assert.Equal(["hot", "running"], gateway.Payloads);
        var poison = gateway.Store.Records[0];
        Assert.Equal("hot", Gateway.Text(poison.Value));
        Assert.Contains("Float64", poison.Poison, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Retained_messages_come_once_and_are_marked()
    {
        await using var broker = await Mosquitto.StartAsync();
        await broker.PublishAsync("plant/1", ["kept"], 1, "-r");
        var gateway = new Gateway(broker.Address);
        foreach (var version in new[] { "5.0", "3.1.1" })
        {
            gateway.Config = gateway.Config with { Version = version };
            var run = await gateway.Driver().StartAsync();
            await broker.PublishAsync("plant/2", ["new " + version]);
            await run.UntilAsync(_ => gateway.Payloads.Contains("new " + version));
            await run.CloseAsync(CloseReason.Fault);
        }
        Assert.Equal(["kept", "new 5.0", "new 3.1.1"], gateway.Payloads);
        Assert.Equal("true", Gateway.Text(gateway.Store.Records[0].Headers.Single(h => h.Name == "mqtt.retain").Value));
    }

    [Fact]
    public async Task Over_WebSocket()
    {
        await using var broker = await Mosquitto.StartAsync("listener $PORT2 127.0.0.1", "protocol websockets");
        var gateway = new Gateway($"ws://127.0.0.1:{broker.Port2}/mqtt");
        await using var run = await gateway.Driver().StartAsync();
        await broker.PublishAsync("a", Enumerable.Range(0, 500).Select(i => i.ToString(CultureInfo.InvariantCulture)));
        await run.UntilAsync(s => s.Records.Count == 500);
    }

    [Fact]
    public async Task Over_a_Unix_socket()
    {
        await using var broker = await Mosquitto.StartAsync("listener 0 $FOLDER/socket");
        var gateway = new Gateway($"unix://{broker.Folder}/socket");
        await using var run = await gateway.Driver().StartAsync();
        await broker.PublishAsync("a", ["x"]);
        await run.UntilAsync(s => s.Records.Count == 1);
    }

    static Task<Mosquitto> StartTlsAsync(string dns, bool expired = false) => Mosquitto.StartAsync(folder =>
    {
        using var certificates = new Certificates(folder);
        certificates.Sign("server", dns, expired);
        certificates.Sign("client", "client");
    }, "listener $PORT2 127.0.0.1", "cafile $FOLDER/ca.pem", "certfile $FOLDER/server.pem", "keyfile $FOLDER/server.key", "require_certificate true");

    static Gateway TlsGateway(Mosquitto broker, Func<TlsConfig, TlsConfig>? change = null)
    {
        var gateway = new Gateway($"mqtts://127.0.0.1:{broker.Port2}");
        var tls = new TlsConfig { Ca = broker.Folder + "/ca.pem", Certificate = broker.Folder + "/client.pem", Key = broker.Folder + "/client.key" };
        gateway.Config = gateway.Config with { Tls = change is null ? tls : change(tls), Timeout = TimeSpan.FromSeconds(5) };
        return gateway;
    }

    [Theory]
    [InlineData("127.0.0.1", null)]
    [InlineData("broker.plant", "broker.plant")]
    public async Task Over_TLS_with_an_own_authority_and_a_client_certificate(string dns, string? serverName)
    {
        await using var broker = await StartTlsAsync(dns);
        var gateway = TlsGateway(broker, t => t with { ServerName = serverName });
        await using var run = await gateway.Driver().StartAsync();
        await broker.PublishAsync("a", ["x"]);
        await run.UntilAsync(s => s.Records.Count == 1);
    }

    [Theory]
    [InlineData("other.host", false, true, "RemoteCertificateNameMismatch")]
    [InlineData("127.0.0.1", true, true, "NotTimeValid")]
    [InlineData("127.0.0.1", false, false, "UntrustedRoot")]
    public async Task A_certificate_that_is_wrong_expired_or_unknown_is_refused(string dns, bool expired, bool ownAuthority, string word)
    {
        await using var broker = await StartTlsAsync(dns, expired);
        await using var source = TlsGateway(broker, t => ownAuthority ? t : t with { Ca = null }).Create();
        var e = await Assert.ThrowsAsync<IOException>(() => source.OpenAsync(OpenMode.Run, Ct).AsTask());
        output.WriteLine(e.Message);
        Assert.Contains(word, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_authority_file_needs_a_human()
    {
        var gateway = new Gateway("mqtts://127.0.0.1:1");
        await using var broker = await Mosquitto.StartAsync();
        gateway.Config = gateway.Config with { Endpoint = new Endpoints($"mqtts://127.0.0.1:{broker.Port}"), Tls = new() { Ca = "/nowhere/ca.pem" } };
        await using var source = gateway.Create();
        Assert.Contains("/nowhere/ca.pem", (await Assert.ThrowsAsync<PermanentException>(() => source.OpenAsync(OpenMode.Run, Ct).AsTask())).Message, StringComparison.Ordinal);
    }
}
