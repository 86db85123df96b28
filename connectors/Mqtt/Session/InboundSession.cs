using System.Buffers.Binary;
using System.Text;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Mqtt.Session;

/// <summary>
/// What the gateway must remember of a persistent session so that no message is lost or stored twice: QoS 1 hashes, QoS 2
/// identifiers, and which batches are acknowledged. The builder of batches owns it; <see cref="Fences"/> is what other threads touch.
/// </summary>
sealed class InboundSession : IDisposable
{
    readonly MessageHash _hash = new();
    readonly Qos1Table _qos1;
    readonly Qos2Set _qos2;
    bool _hasMarker; // an orderly close left its mark, to be deleted before anything is acknowledged

    InboundSession(Qos1Table qos1, Qos2Set qos2, bool hasMarker)
    {
        (_qos1, _qos2, _hasMarker, Batch) = (qos1, qos2, hasMarker, qos1.LastBatch);
        Fences = new(qos1.LastBatch);
    }

    public Fences Fences { get; }

    /// <summary>Number of the batch built last.</summary>
    public long Batch { get; private set; }

    /// <summary>Messages dropped because they were durable already.</summary>
    public long Redelivered { get; private set; }

    /// <summary>An empty session.</summary>
    public static InboundSession Empty() => new(new([], null), new([]), hasMarker: false);

    /// <summary>The session an earlier instance left.</summary>
    public static InboundSession Load(IReadOnlyDictionary<string, ReadOnlyMemory<byte>> state)
    {
        long? acknowledged = state.TryGetValue(SessionKeys.Acknowledged, out var mark) ? BinaryPrimitives.ReadInt64BigEndian(mark.Span) : null;
        var qos1 = state.Where(s => s.Key.StartsWith(SessionKeys.Qos1Prefix, StringComparison.Ordinal)).Select(s => (SessionKeys.Qos1Batch(s.Key), s.Value));
        var qos2 = state.Where(s => s.Key.StartsWith(SessionKeys.Qos2Prefix, StringComparison.Ordinal)).Select(s => (SessionKeys.Qos2Id(s.Key), s.Value));
        return new(new(qos1, acknowledged), new(qos2), acknowledged is not null);
    }

    /// <summary>Whether what is stored belongs to this session of the broker.</summary>
    public static bool IsOf(IReadOnlyDictionary<string, ReadOnlyMemory<byte>> state, string identity)
        => state.TryGetValue(SessionKeys.Identity, out var stored) && stored.Span.SequenceEqual(Encoding.UTF8.GetBytes(identity));

    /// <summary>Deletes everything stored and notes the new identity.</summary>
    public static List<StateChange> Reset(IReadOnlyDictionary<string, ReadOnlyMemory<byte>> state, string identity)
    {
        var changes = state.Keys.Where(k => k is SessionKeys.Acknowledged or SessionKeys.Subscriptions
                || k.StartsWith(SessionKeys.Qos1Prefix, StringComparison.Ordinal) || k.StartsWith(SessionKeys.Qos2Prefix, StringComparison.Ordinal))
            .Select(k => new StateChange(k, null)).ToList();
        changes.Add(new(SessionKeys.Identity, Encoding.UTF8.GetBytes(identity)));
        return changes;
    }

    /// <summary>Begins a batch, with the deletions that have become possible.</summary>
    public void Begin(List<StateChange> state)
    {
        Batch++;
        _qos1.Settle(Fences.Certain, state);
    }

    /// <summary>Whether <see cref="Begin"/> would have something to delete.</summary>
    public bool HasDeletions => _qos1.HasSettled(Fences.Certain);

    /// <summary>Judges a QoS 1 or 2 message.</summary>
    public Verdict Judge(PublishPacket packet, List<StateChange> state)
    {
        var hash = _hash.Of(packet);
        var verdict = packet.Qos == 2 ? _qos2.Receive(packet.PacketId, hash, state)
            : _qos1.Judge(packet.PacketId, hash, packet.Dup, Batch, Fences.Acknowledged, state);
        if (verdict != Verdict.Append) Redelivered++;
        return verdict;
    }

    /// <summary>PUBREL; false when the identifier is not known.</summary>
    public bool Release(ushort id, List<StateChange> state) => _qos2.Release(id, state);

    /// <summary>Ends the batch.</summary>
    public void Seal(List<StateChange> state)
    {
        _qos1.Seal(Batch, state);
        if (_hasMarker && state.Count > 0) state.Add(new(SessionKeys.Acknowledged, null));
        _hasMarker &= state.Count == 0;
    }

    /// <summary>Ends acknowledging. Returns what an orderly close stores; null when nothing is known that is not stored already.</summary>
    public StateChange? Close()
    {
        var acknowledged = Fences.Close();
        if (Batch == _qos1.LastBatch) return null;
        var mark = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(mark, acknowledged);
        return new(SessionKeys.Acknowledged, mark);
    }

    public void Dispose() => _hash.Dispose();
}
