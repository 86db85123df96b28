using System.Globalization;
using System.Text;
using IotGateway.Connectors.Mqtt.Client;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Connectors.Sparkplug.Wire;

namespace IotGateway.Connectors.Sparkplug;

/// <summary>
/// The STATE message of one connection (Sparkplug 3.0 §6.4.23, §5.7): retained, with the timestamp of the connection's will throughout, so that
/// edge nodes take the will for what it is; or the plain words of Sparkplug 2.2, which have none. Calls take turns.
/// </summary>
sealed class HostState(string hostId, long timestamp, bool before3) : IDisposable
{
    readonly SemaphoreSlim _turn = new(1, 1);
    bool? _told;
    bool _over;

    /// <summary>Its topic in UTF-8.</summary>
    public ReadOnlyMemory<byte> Topic { get; } = Encoding.UTF8.GetBytes(SparkplugTopic.State(hostId, before3));

    /// <summary>What the world was told last; false before.</summary>
    public bool IsOnline => _told == true;

    /// <summary>Completes when the broker has answered the last message, or the connection has ended.</summary>
    public Task Taken { get; private set; } = Task.CompletedTask;

    /// <summary>What the broker says for us when we cannot.</summary>
    public Will Will => new(SparkplugTopic.State(hostId, before3), Payload(false), 1, Retain: true);

    /// <summary>Tells the world, if it does not know. Returns whether that was news.</summary>
    /// <param name="client">The connection.</param>
    /// <param name="online">Whether we are.</param>
    /// <param name="last">Nothing is to be told afterwards: a look that began before must not say online again.</param>
    /// <param name="ct">Cancels waiting.</param>
    public async ValueTask<bool> TellAsync(MqttClient client, bool online, bool last, CancellationToken ct)
    {
        if (_told == online && !last) return false;
        await _turn.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (_over) return false;
            _over = last;
            if (_told == online) return false;
            // Not waited for: while the log holds the receive loop back, no acknowledgement is read. A connection that breaks is made anew.
            var taken = await client.BeginPublishAsync(new() { Topic = Topic, Payload = Payload(online), Qos = 1, Retain = true }, ct).ConfigureAwait(false);
            Taken = taken.ContinueWith(static t => _ = t.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            _told = online;
            return true;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>
    /// A message under our topic. A late will of an earlier connection says offline, and is contradicted at the next look (§5.7). True when
    /// another host says that it is online under our id: fighting would help nobody. In 2.2 it would use the same word, and cannot be told.
    /// </summary>
    public bool Heard(ReadOnlySpan<byte> payload)
    {
        if (!IsOnline || payload.SequenceEqual(Payload(true))) return false;
        if (payload.IndexOf("true"u8) >= 0) return true;
        _told = null;
        return false;
    }

    public void Dispose() => _turn.Dispose();

    byte[] Payload(bool online) => before3 ? (online ? "ONLINE"u8 : "OFFLINE"u8).ToArray() : Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{{\"online\":{(online ? "true" : "false")},\"timestamp\":{timestamp}}}"));
}
