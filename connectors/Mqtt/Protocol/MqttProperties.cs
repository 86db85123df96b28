using System.Text;

namespace IotGateway.Connectors.Mqtt.Protocol;

/// <summary>
/// The properties of one packet (MQTT 5 §2.2.2): the bytes of the packet itself, checked once on decoding and walked on demand, so
/// that a packet with properties costs no allocation more than one without.
/// </summary>
readonly struct MqttProperties
{
    MqttProperties(ReadOnlyMemory<byte> raw) => Raw = raw;

    /// <summary>As on the wire, without the length in front.</summary>
    public ReadOnlyMemory<byte> Raw { get; }

    public bool IsEmpty => Raw.IsEmpty;

    /// <summary>Reads length and properties, checking every rule of §2.2.2 for the place they stand in.</summary>
    public static MqttProperties Read(ref WireReader reader, PacketType place, in MqttLimits limits)
    {
        var length = reader.VarInt();
        if (length > (uint)reader.Left) throw WireReader.Malformed();
        var raw = reader.Take((int)length);
        Check(raw, place, limits);
        return new(raw);
    }

    /// <summary>Takes what <see cref="PropertiesBuilder"/> wrote.</summary>
    internal static MqttProperties Trusted(ReadOnlyMemory<byte> raw) => new(raw);

    static void Check(ReadOnlyMemory<byte> raw, PacketType place, in MqttLimits limits)
    {
        var reader = new WireReader(raw);
        ulong seen = 0;
        for (var count = 1; reader.Left > 0; count++)
        {
            if (count > limits.MaxProperties) throw new MqttProtocolException(ReasonCode.QuotaExceeded);
            var property = Next(ref reader);
            if (!PropertyRules.Allowed((uint)property.Id, place)) throw WireReader.Malformed();
            var bit = 1UL << (int)property.Id;
            if ((seen & bit) != 0 && !PropertyRules.MayRepeat(property.Id, place)) throw new MqttProtocolException(ReasonCode.ProtocolError);
            seen |= bit;
            if (!PropertyRules.InRange(property.Id, property.Number)) throw new MqttProtocolException(ReasonCode.ProtocolError);
        }
    }

    static MqttProperty Next(ref WireReader reader)
    {
        var id = reader.VarInt();
        var p = (PropertyId)id;
        return PropertyRules.Kind(id) switch
        {
            PropertyKind.Byte => new(p, reader.Byte(), default, default),
            PropertyKind.UInt16 => new(p, reader.UInt16(), default, default),
            PropertyKind.UInt32 => new(p, reader.UInt32(), default, default),
            PropertyKind.VarInt => new(p, reader.VarInt(), default, default),
            PropertyKind.Text => new(p, 0, reader.Text(), default),
            PropertyKind.Binary => new(p, 0, reader.Binary(), default),
            PropertyKind.Pair => Pair(ref reader),
            _ => throw WireReader.Malformed(),
        };
    }

    static MqttProperty Pair(ref WireReader reader)
    {
        var name = reader.Text();
        return new(PropertyId.UserProperty, 0, reader.Text(), name);
    }

    /// <summary>The number of a property; null when it is not there.</summary>
    public uint? Number(PropertyId id) => TryGet(id, out var p) ? p.Number : null;

    /// <summary>The octets of a property; null when it is not there.</summary>
    public ReadOnlyMemory<byte>? Data(PropertyId id) => TryGet(id, out var p) ? p.Data : (ReadOnlyMemory<byte>?)null;

    /// <summary>The text of a property; null when it is not there.</summary>
    public string? Text(PropertyId id) => TryGet(id, out var p) ? Encoding.UTF8.GetString(p.Data.Span) : null;

    bool TryGet(PropertyId id, out MqttProperty found)
    {
        foreach (var p in this)
            if (p.Id == id)
            {
                found = p;
                return true;
            }
        found = default;
        return false;
    }

    /// <summary>All properties in order.</summary>
    public Enumerator GetEnumerator() => new(Raw);

    /// <summary>Walks the properties.</summary>
    public ref struct Enumerator(ReadOnlyMemory<byte> raw)
    {
        WireReader _reader = new(raw);

        public MqttProperty Current { get; private set; }

        public bool MoveNext()
        {
            if (_reader.Left == 0) return false;
            Current = Next(ref _reader);
            return true;
        }
    }
}
