using System.Diagnostics;
using System.Globalization;
using IotGateway.Connectors.Mqtt.Sink;
using IotGateway.Sdk;
using IotGateway.Sdk.Config;
using IotGateway.Sdk.Data;
using IotGateway.Testing;
using IotGateway.Tests.Mqtt.Brokers;

namespace IotGateway.Tests.Mqtt.Sink;

/// <summary>mosquitto, and mosquitto_sub with a persistent session that outlives the broker's restart.</summary>
sealed class MosquittoSinkPeer : SinkPeer<MqttSinkConfig>
{
    readonly Mosquitto _broker;
    readonly string _version;
    readonly int _qos;
    readonly Process _subscriber;
    readonly List<string> _lines = [];
    readonly SemaphoreSlim _more = new(0);

    MosquittoSinkPeer(Mosquitto broker, string version, int qos)
    {
        (_broker, _version, _qos) = (broker, version, qos);
        _subscriber = Process.Start(new ProcessStartInfo("/usr/bin/mosquitto_sub", ["-h", "127.0.0.1", "-p", broker.Port.ToString(CultureInfo.InvariantCulture),
            "-c", "-i", "watcher", "-q", "2", "-t", "conformance"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        _subscriber.OutputDataReceived += (_, e) =>
        {
            if (e.Data is null) return;
            lock (_lines) _lines.Add(e.Data);
            _more.Release();
        };
        _subscriber.ErrorDataReceived += (_, _) => { };
        _subscriber.BeginOutputReadLine();
        _subscriber.BeginErrorReadLine();
    }

    public static async Task<MosquittoSinkPeer> StartAsync(string version, int qos)
    {
        if (!File.Exists("/usr/bin/mosquitto_sub")) Assert.Skip("mosquitto_sub is not installed.");
        var broker = await Mosquitto.StartAsync("max_packet_size 2000");
        var peer = new MosquittoSinkPeer(broker, version, qos);
        for (var i = 0; !broker.Log().Contains("SUBACK to watcher", StringComparison.Ordinal); i++)
        {
            if (i > 200) throw new TimeoutException("mosquitto_sub does not subscribe.");
            await Task.Delay(TimeSpan.FromMilliseconds(25), TimeProvider.System);
        }
        return peer;
    }

    public override IConnectorFactory<MqttSinkConfig> Factory { get; } = new MqttSinkFactory();

    public override MqttSinkConfig Config => new() { Endpoint = new Endpoints(_broker.Address), Version = _version, Qos = _qos, ClientId = "sink", Timeout = TimeSpan.FromSeconds(5) };

    // Only version 5 lets the broker say how much it takes.
    public override SinkRecord? Undeliverable => _version == "3.1.1" ? null : new() { Topic = "conformance", Partition = 0, Offset = 0, Timestamp = 0, Value = new byte[4_000] };

    public override async Task<IReadOnlyList<int>> ArrivedAsync()
    {
        var mark = "end" + Guid.NewGuid().ToString("N");
        await _broker.PublishAsync("conformance", [mark], 2);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (true)
        {
            lock (_lines)
                if (_lines.Contains(mark)) return [.. _lines.Where(l => !l.StartsWith("end", StringComparison.Ordinal)).Select(l => int.Parse(l, CultureInfo.InvariantCulture))];
            await _more.WaitAsync(limit.Token);
        }
    }

    public override Task AwayAsync() => _broker.StopAsync();

    public override Task BackAsync() => _broker.StartProcessAsync();

    public override async ValueTask DisposeAsync()
    {
        _subscriber.Kill();
        await _subscriber.WaitForExitAsync();
        _subscriber.Dispose();
        await _broker.DisposeAsync();
    }
}

/// <summary>What every sink owes, over MQTT 5 at QoS 1.</summary>
public sealed class Mqtt5SinkConformanceTests : SinkConformance<MqttSinkConfig>
{
    protected override async Task<SinkPeer<MqttSinkConfig>> StartPeerAsync() => await MosquittoSinkPeer.StartAsync("5.0", 1);
}

/// <summary>What every sink owes, over MQTT 3.1.1 at QoS 1.</summary>
public sealed class Mqtt311SinkConformanceTests : SinkConformance<MqttSinkConfig>
{
    protected override async Task<SinkPeer<MqttSinkConfig>> StartPeerAsync() => await MosquittoSinkPeer.StartAsync("3.1.1", 1);
}

/// <summary>What every sink owes, at QoS 2.</summary>
public sealed class Qos2SinkConformanceTests : SinkConformance<MqttSinkConfig>
{
    protected override async Task<SinkPeer<MqttSinkConfig>> StartPeerAsync() => await MosquittoSinkPeer.StartAsync("auto", 2);
}
