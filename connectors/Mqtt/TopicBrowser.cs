using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using System.Threading.Channels;
using IotGateway.Connectors.Mqtt.Client;
using IotGateway.Connectors.Mqtt.Mapping;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Mqtt;

/// <summary>
/// Lists the topics seen within some seconds, over a connection and clean session of its own, so that what runs is not touched. Bounded
/// in time, number and memory. One use.
/// </summary>
sealed class TopicBrowser(BrokerSession broker, MqttConfig config, TimeProvider time) : IMqttHandler
{
    const int MostTopics = 1_000;
    const int MostText = 120;
    static readonly TimeSpan Look = TimeSpan.FromSeconds(5);

    readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    readonly Channel<BrowseNode> _found = Channel.CreateBounded<BrowseNode>(MostTopics);

    /// <summary>The topics under <paramref name="parent"/>, or all, as they come by.</summary>
    public async IAsyncEnumerable<BrowseNode> RunAsync(string? parent, [EnumeratorCancellation] CancellationToken ct)
    {
        await using var client = await broker.ConnectAsync(OpenMode.Probe, clean: true, ct).ConfigureAwait(false);
        using var limit = new CancellationTokenSource(Look, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        var living = client.RunAsync(this, both.Token);
        _ = living.ContinueWith(t => _found.Writer.TryComplete(limit.IsCancellationRequested ? null : t.Exception?.InnerException), CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        await SubscribeAsync(client, parent, ct).ConfigureAwait(false);
        await foreach (var node in _found.Reader.ReadAllAsync(ct).ConfigureAwait(false)) yield return node;
    }

    async Task SubscribeAsync(MqttClient client, string? parent, CancellationToken ct)
    {
        var wanted = parent is null ? "#" : parent + "/#";
        if (TopicName.FilterError(wanted) is { } wrong) throw new ArgumentException($"'{parent}' {wrong}; give a topic or the beginning of one.", nameof(parent));
        if (await IsGrantedAsync([wanted]).ConfigureAwait(false)) return;
        // Brokers often forbid '#'; what the configuration may subscribe to can be shown all the same.
        if (parent is null && await IsGrantedAsync([.. config.Subscriptions.Select(s => TopicName.WithoutShare(s.Filter)).Distinct().Take(100)]).ConfigureAwait(false)) return;
        throw new IOException($"{client.Address} refused to subscribe to '{wanted}'. Browse below a topic that this user may read, or change the broker's permissions.");

        async Task<bool> IsGrantedAsync(string[] filters)
            => filters.Length > 0 && (await client.SubscribeAsync([.. filters.Select(f => SubscribeFilter.Of(f, 0))], null, ct).ConfigureAwait(false)).Any(r => (byte)r < 0x80);
    }

    ValueTask IMqttHandler.OnPublishAsync(PublishPacket packet, CancellationToken ct)
    {
        var topic = Encoding.UTF8.GetString(packet.Topic.Span);
        if (_seen.Count >= MostTopics || !_seen.Add(topic)) return default;
        _found.Writer.TryWrite(new(topic, topic, HasChildren: false, TypeOf(packet.Payload), Sample(packet)));
        if (_seen.Count >= MostTopics) _found.Writer.TryComplete();
        return default;
    }

    ValueTask IMqttHandler.OnReleaseAsync(ushort packetId, CancellationToken ct) => default;

    void IMqttHandler.OnPong(long ping) { }

    ValueTask IMqttHandler.OnTickAsync() => default;

    static DataType TypeOf(ReadOnlyMemory<byte> payload)
    {
        if (!Utf8.IsValid(payload.Span)) return DataType.Bytes;
        using var json = JsonValues.Parse(payload, out _);
        return json?.RootElement.ValueKind switch
        {
            JsonValueKind.Number => DataType.Float64,
            JsonValueKind.True or JsonValueKind.False => DataType.Bool,
            JsonValueKind.Object => DataType.Structure,
            JsonValueKind.Array => DataType.Array,
            _ => DataType.String,
        };
    }

    static string Sample(PublishPacket packet)
    {
        var retained = packet.Retain ? "retained: " : "";
        var bytes = packet.Payload.Span;
        if (!Utf8.IsValid(bytes)) return $"{retained}{bytes.Length} bytes {Convert.ToHexString(bytes[..Math.Min(bytes.Length, MostText / 4)])}";
        var text = Encoding.UTF8.GetString(bytes[..Math.Min(bytes.Length, 4 * MostText)]);
        return retained + string.Concat(text.Take(MostText).Select(c => char.IsControl(c) ? ' ' : c)) + (text.Length > MostText ? "…" : "");
    }
}
