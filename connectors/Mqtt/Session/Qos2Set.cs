using System.Buffers.Binary;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Mqtt.Session;

/// <summary>
/// QoS 2 packet identifiers received and not released (MQTT 5 §4.3.3, receiver), with the hash of their message. Entering is durable with the
/// message, leaving is durable before PUBCOMP: whatever is interrupted where, the message is stored once. At most 65,535 entries. One thread.
/// </summary>
/// <remarks>
/// A sender must not use an identifier again before it released it. A broker that crashed and went back to an older state of its session does:
/// a message with another hash is therefore another message, or PUBREC would acknowledge what was never stored.
/// </remarks>
sealed class Qos2Set
{
    const byte WithoutHash = 1, WithHash = 2; // formats of the stored value

    readonly Dictionary<ushort, UInt128?> _ids = [];

    /// <summary>Loads what earlier connections left.</summary>
    public Qos2Set(IEnumerable<(ushort Id, ReadOnlyMemory<byte> Value)> stored)
    {
        foreach (var (id, value) in stored)
            _ids[id] = (value.Length, value.Span[0]) switch
            {
                (1, WithoutHash) => null,
                (1 + MessageHash.Size, WithHash) => BinaryPrimitives.ReadUInt128BigEndian(value.Span[1..]),
                _ => throw new InvalidDataException("Stored MQTT session state has a format this version does not know."),
            };
    }

    public int Count => _ids.Count;

    /// <summary>A message: new, or one whose PUBREC the sender has not seen.</summary>
    public Verdict Receive(ushort id, UInt128 hash, List<StateChange> state)
    {
        if (_ids.TryGetValue(id, out var known) && (known is null || known == hash)) return Verdict.AcknowledgeOnly;
        _ids[id] = hash;
        var value = new byte[1 + MessageHash.Size];
        value[0] = WithHash;
        BinaryPrimitives.WriteUInt128BigEndian(value.AsSpan(1), hash);
        state.Add(new(SessionKeys.Qos2(id), value));
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
