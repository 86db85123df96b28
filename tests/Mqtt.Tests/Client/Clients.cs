using System.Text;
using IotGateway.Connectors.Mqtt.Client;
using IotGateway.Connectors.Mqtt.Protocol;

namespace IotGateway.Tests.Mqtt.Client;

/// <summary>A plain client for the other side of a test: publishes, and keeps what comes.</summary>
sealed class Clients : IMqttHandler, IAsyncDisposable
{
    readonly MqttClient _client;
    readonly System.Threading.Channels.Channel<PublishPacket> _received = System.Threading.Channels.Channel.CreateUnbounded<PublishPacket>();
    readonly Task _running;

    Clients(MqttClient client)
    {
        _client = client;
        _running = client.RunAsync(this, CancellationToken.None);
    }

    public static async Task<Clients> ConnectAsync(string address, string id, params string[] filters)
    {
        var options = new MqttClientOptions { ClientId = id, CleanStart = true };
        var client = new Clients(await MqttConnect.ConnectAsync(options, MqttAddress.TryParse(address, out _)!, TimeProvider.System, CancellationToken.None));
        if (filters.Length > 0) await client._client.SubscribeAsync([.. filters.Select(f => SubscribeFilter.Of(f, 0))], null, CancellationToken.None);
        return client;
    }

    public Task PublishAsync(string topic, string payload, byte qos = 1, bool retain = false, MqttProperties properties = default)
        => _client.PublishAsync(new PublishPacket { Topic = Encoding.UTF8.GetBytes(topic), Payload = Encoding.UTF8.GetBytes(payload), Qos = qos, Retain = retain, Properties = properties }, CancellationToken.None);

    public async Task<PublishPacket> NextAsync(int seconds = 10)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        return await _received.Reader.ReadAsync(limit.Token);
    }

    ValueTask IMqttHandler.OnPublishAsync(PublishPacket packet, CancellationToken ct) => _received.Writer.WriteAsync(packet.Detach(), ct);

    ValueTask IMqttHandler.OnReleaseAsync(ushort packetId, CancellationToken ct) => default;

    void IMqttHandler.OnPong(long ping) { }

    ValueTask IMqttHandler.OnTickAsync() => default;

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _running.ContinueWith(static t => _ = t.Exception, TaskScheduler.Default);
    }
}
