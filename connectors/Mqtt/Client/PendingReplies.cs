using IotGateway.Connectors.Mqtt.Protocol;

namespace IotGateway.Connectors.Mqtt.Client;

/// <summary>
/// Packet identifiers we have in use and who waits for their answers (MQTT 5 §2.2.1). Thread-safe. An identifier is free again only
/// when its exchange is over.
/// </summary>
sealed class PendingReplies
{
    readonly Lock _gate = new();
    readonly Dictionary<ushort, (PacketType Wanted, TaskCompletionSource<MqttPacket> Reply)> _waiting = [];
    Exception? _closed;
    ushort _last;

    /// <summary>Takes a free identifier and waits for a packet of type <paramref name="wanted"/> that bears it.</summary>
    public (ushort Id, Task<MqttPacket> Reply) Add(PacketType wanted)
    {
        lock (_gate)
        {
            if (_closed is not null) throw new IOException($"The connection is closed: {_closed.Message}", _closed);
            if (_waiting.Count >= ushort.MaxValue) throw new InvalidOperationException("All 65535 packet identifiers are in use.");
            do if (++_last == 0) _last = 1;
            while (_waiting.ContainsKey(_last));
            return (_last, Wait(_last, wanted));
        }
    }

    /// <summary>Waits for the next packet of the same exchange.</summary>
    public Task<MqttPacket> Continue(ushort id, PacketType wanted)
    {
        lock (_gate)
            return _closed is null ? Wait(id, wanted) : throw new IOException($"The connection is closed: {_closed.Message}", _closed);
    }

    Task<MqttPacket> Wait(ushort id, PacketType wanted)
    {
        var reply = new TaskCompletionSource<MqttPacket>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting[id] = (wanted, reply);
        return reply.Task;
    }

    /// <summary>Hands a reply to who waits for it; false when nobody does.</summary>
    public bool Complete(ushort id, MqttPacket packet)
    {
        lock (_gate)
            return _waiting.TryGetValue(id, out var entry) && entry.Wanted == packet.Type && entry.Reply.TrySetResult(packet);
    }

    /// <summary>The exchange is over.</summary>
    public void Release(ushort id)
    {
        lock (_gate) _waiting.Remove(id);
    }

    /// <summary>No reply will come any more.</summary>
    public void Close(Exception cause)
    {
        lock (_gate)
        {
            _closed ??= cause;
            foreach (var (_, reply) in _waiting.Values)
            {
                reply.TrySetException(new IOException("The connection ended before the broker answered.", cause));
                _ = reply.Task.Exception; // whoever waited sees it; nobody waiting is no fault
            }
        }
    }
}
