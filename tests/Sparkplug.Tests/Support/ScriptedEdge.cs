using System.Text;
using System.Threading.Channels;
using IotGateway.Connectors.Mqtt.Client;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Connectors.Sparkplug.Wire;

namespace IotGateway.Tests.Sparkplug.Support;

/// <summary>An edge node that does what the test says, over a connection of its own with a will; keeps commands and STATE messages.</summary>
sealed class ScriptedEdge : IMqttHandler, IAsyncDisposable
{
    readonly MqttClient _client;
    readonly Channel<PublishPacket> _received = Channel.CreateUnbounded<PublishPacket>();
    readonly Task _running;
    readonly string _group, _edge;
    int _seq;

    ScriptedEdge(MqttClient client, string group, string edge)
    {
        (_client, _group, _edge) = (client, group, edge);
        _running = client.RunAsync(this, CancellationToken.None);
    }

    public static async Task<ScriptedEdge> ConnectAsync(string address, string group = "g", string edge = "e", ulong bdSeq = 1, string? host = null, (string User, string Password)? login = null)
    {
        var will = new Will($"spBv1.0/{group}/NDEATH/{edge}", Metrics.Payload(null, Metrics.Session(bdSeq)), 1);
        var options = new MqttClientOptions { ClientId = $"{group}-{edge}-{Guid.NewGuid():N}", CleanStart = true, Will = will, Username = login?.User, Password = login?.Password };
        var client = new ScriptedEdge(await MqttConnect.ConnectAsync(options, MqttAddress.TryParse(address, out _)!, TimeProvider.System, CancellationToken.None), group, edge);
        await client._client.SubscribeAsync([SubscribeFilter.Of($"spBv1.0/{group}/NCMD/{edge}", 0), SubscribeFilter.Of($"spBv1.0/{group}/DCMD/{edge}/#", 0),
            .. host is null ? Array.Empty<SubscribeFilter>() : [SubscribeFilter.Of("spBv1.0/STATE/" + host, 0), SubscribeFilter.Of("STATE/" + host, 0)]], null, CancellationToken.None);
        return client;
    }

    /// <summary>The number the next message will have.</summary>
    public int Seq { get => _seq; set => _seq = value & 255; }

    public Task BirthAsync(ulong bdSeq, params Metric[] metrics)
    {
        Seq = 0;
        return SendAsync("NBIRTH", null, [Metrics.Session(bdSeq), Metrics.Of("Node Control/Rebirth", MetricType.Boolean, m => m.BooleanValue = false), .. metrics]);
    }

    /// <summary>A message with the next number; QoS 1 so that the broker has it when this returns.</summary>
    public Task SendAsync(string kind, string? device, params Metric[] metrics)
        => RawAsync($"spBv1.0/{_group}/{kind}/{_edge}{(device is null ? "" : "/" + device)}", Metrics.Payload(Seq++, (ulong)TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), metrics));

    public Task RawAsync(string topic, byte[] payload, bool retain = false)
        => _client.PublishAsync(new() { Topic = Encoding.UTF8.GetBytes(topic), Payload = payload, Qos = 1, Retain = retain }, CancellationToken.None);

    /// <summary>The next command or STATE message.</summary>
    public async Task<(string Topic, ReadOnlyMemory<byte> Payload)> NextAsync(int seconds = 15)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        var packet = await _received.Reader.ReadAsync(limit.Token);
        return (Encoding.UTF8.GetString(packet.Topic.Span), packet.Payload);
    }

    /// <summary>The next command's only metric.</summary>
    public async Task<(string Topic, Metric Metric)> CommandAsync(int seconds = 15)
    {
        var (topic, payload) = await NextAsync(seconds);
        return (topic, Assert.Single(PayloadReader.Read(payload).Metrics));
    }

    ValueTask IMqttHandler.OnPublishAsync(PublishPacket packet, CancellationToken ct) => _received.Writer.WriteAsync(packet.Detach(), ct);

    ValueTask IMqttHandler.OnReleaseAsync(ushort packetId, CancellationToken ct) => default;

    void IMqttHandler.OnPong(long ping) { }

    ValueTask IMqttHandler.OnTickAsync() => default;

    /// <summary>Breaks the connection without a goodbye: the broker publishes the will.</summary>
    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _running.ContinueWith(static t => _ = t.Exception, TaskScheduler.Default);
    }
}
