using System.Collections.Concurrent;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Connectors.Sparkplug.Plant;
using IotGateway.Connectors.Sparkplug.Wire;
using IotGateway.Sdk;

namespace IotGateway.Connectors.Sparkplug;

/// <summary>
/// Messages between the receive loop and the log: bounded in number and bytes. What has no room is dropped and counted by edge node, because
/// Sparkplug's data are of QoS 0: the broker would drop them all the same, only later. Also says how the log keeps up. Thread-safe.
/// </summary>
sealed class Intake(long mostBytes, TimeProvider time)
{
    const int MostMessages = 20_000;
    const int MostPerBatch = 2_000;

    readonly Inbox<Inbound> _inbox = new(MostMessages);
    readonly ConcurrentDictionary<EdgeKey, long> _dropped = new();
    readonly ConcurrentQueue<long> _writing = new(); // when each batch on its way to the disk was handed over
    long _bytes;

    /// <summary>Puts a message; false when it was dropped.</summary>
    public bool TryPut(PublishPacket message)
    {
        if (Interlocked.Add(ref _bytes, message.Size) <= mostBytes && _inbox.TryPut(new(message, time.GetUtcNow().UtcDateTime))) return true;
        Interlocked.Add(ref _bytes, -message.Size);
        if (SparkplugTopic.TryParse(message.Topic.Span, out var topic)) _dropped.AddOrUpdate(new(topic.Group, topic.Edge), 1, static (_, n) => n + 1);
        return false;
    }

    /// <summary>Wakes the reading loop; a full inbox means it is awake.</summary>
    public void Wake() => _inbox.TryPut(default);

    public void Complete(Exception? error = null) => _inbox.Complete(error);

    public ValueTask<IReadOnlyList<Inbound>> TakeAsync(CancellationToken ct) => _inbox.TakeAsync(MostPerBatch, ct);

    /// <summary>Edge nodes of which messages were dropped since the last call, and how many.</summary>
    public IReadOnlyList<KeyValuePair<EdgeKey, long>> TakeDropped()
        => _dropped.IsEmpty ? [] : [.. _dropped.Keys.Select(k => _dropped.TryRemove(k, out var n) ? new KeyValuePair<EdgeKey, long>(k, n) : default).Where(d => d.Value > 0)];

    /// <summary>Messages are on their way to the disk.</summary>
    public void Begin() => _writing.Enqueue(time.GetTimestamp());

    /// <summary>They are there, or there was nothing to write: their bytes are free.</summary>
    public void End(long bytes, bool begun)
    {
        Interlocked.Add(ref _bytes, -bytes);
        if (begun) _writing.TryDequeue(out _);
    }

    /// <summary>Whether the log does not keep up: data wait for it longer than <paramref name="patience"/>, or half of the room is taken.</summary>
    /// <param name="patience">How long they may.</param>
    /// <param name="before">Whether it did not before: then it has to have caught up well.</param>
    public bool IsBehind(TimeSpan patience, bool before)
    {
        var oldest = _writing.TryPeek(out var since) ? time.GetElapsedTime(since) : TimeSpan.Zero;
        var share = before ? 8 : 2;
        return oldest > (before ? patience / 4 : patience) || Volatile.Read(ref _bytes) > mostBytes / share || _inbox.Count > MostMessages / share;
    }
}
