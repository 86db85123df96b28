using System.Threading.Channels;
using IotGateway.Connectors.Mqtt.Client;
using IotGateway.Connectors.Mqtt.Protocol;

namespace IotGateway.Tests.Mqtt.Client;

/// <summary>A handler that keeps what comes.</summary>
sealed class Recorder : IMqttHandler
{
    readonly Channel<PublishPacket> _messages = Channel.CreateUnbounded<PublishPacket>();

    public ValueTask<PublishPacket> NextAsync() => _messages.Reader.ReadAsync(new CancellationTokenSource(TimeSpan.FromSeconds(10)).Token);

    public ValueTask OnPublishAsync(PublishPacket packet, CancellationToken ct) => _messages.Writer.WriteAsync(packet, ct);

    public ValueTask OnReleaseAsync(ushort packetId, CancellationToken ct) => default;

    public void OnPong(long ping) { }

    public ValueTask OnTickAsync() => default;
}
