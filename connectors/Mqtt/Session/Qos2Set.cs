using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Mqtt.Session;

/// <summary>
/// QoS 2 packet identifiers received and not released (MQTT 5 §4.3.3, receiver). Entering is durable with the message, leaving is
/// durable before PUBCOMP: whatever is interrupted where, the message is stored once. At most 65,535 entries. One thread.
/// </summary>
sealed class Qos2Set(IEnumerable<ushort> stored)
{
    static readonly ReadOnlyMemory<byte> Present = new byte[] { 1 };

    readonly HashSet<ushort> _ids = [.. stored];

    public int Count => _ids.Count;

    /// <summary>A message: new, or one whose PUBREC the sender has not seen.</summary>
    public Verdict Receive(ushort id, List<StateChange> state)
    {
        if (!_ids.Add(id)) return Verdict.AcknowledgeOnly;
        state.Add(new(SessionKeys.Qos2(id), Present));
        return Verdict.Append;
    }

    /// <summary>PUBREL. False when the identifier is not known, which PUBCOMP reports in version 5.</summary>
    public bool Release(ushort id, List<StateChange> state)
    {
        if (!_ids.Remove(id)) return false;
        state.Add(new(SessionKeys.Qos2(id), null));
        return true;
    }
}
