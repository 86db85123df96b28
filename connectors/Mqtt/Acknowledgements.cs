using IotGateway.Connectors.Mqtt.Protocol;

namespace IotGateway.Connectors.Mqtt;

/// <summary>What one batch owes the broker once it is durable, in order of arrival (MQTT 5 §4.6).</summary>
sealed class Acknowledgements(long batch, MqttVersion version)
{
    readonly List<(PacketType Type, ushort Id, bool Unknown)> _owed = [];

    public long Batch => batch;

    /// <summary>Bytes of messages that are no longer held afterwards.</summary>
    public long Bytes { get; set; }

    /// <summary>QoS 1 and 2 messages received, those included that another acknowledgement serves.</summary>
    public int Messages { get; set; }

    /// <summary>Messages not stored again.</summary>
    public int Redelivered { get; set; }

    /// <summary>Messages marked DUP that were stored.</summary>
    public int PossibleDuplicates { get; set; }

    /// <summary>PUBACKs among them.</summary>
    public int PubAcks { get; private set; }

    public bool IsEmpty => _owed.Count == 0;

    public int Count => _owed.Count;

    /// <summary>Owes the acknowledgement of a message.</summary>
    public void Message(byte qos, ushort id)
    {
        if (qos == 1) PubAcks++;
        _owed.Add((qos == 1 ? PacketType.PubAck : PacketType.PubRec, id, false));
    }

    /// <summary>Owes PUBCOMP. Version 5 tells the sender of an identifier that was not known (§3.7.2.1).</summary>
    public void Complete(ushort id, bool known) => _owed.Add((PacketType.PubComp, id, !known && version == MqttVersion.V5));

    /// <summary>Writes all of them.</summary>
    public static void Encode(WireWriter w, Acknowledgements acks)
    {
        foreach (var (type, id, unknown) in acks._owed)
            if (unknown) MqttEncoder.Encode(w, new AckPacket(type, id, ReasonCode.PacketIdNotFound), MqttVersion.V5);
            else MqttEncoder.Ack(w, type, id);
    }
}
