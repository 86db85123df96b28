namespace IotGateway.Connectors.Mqtt.Protocol;

/// <summary>SUBSCRIBE, UNSUBSCRIBE and their answers. Pure; see <see cref="MqttDecoder"/>.</summary>
static class SubscribeDecoder
{
    public static SubscribePacket Subscribe(ref WireReader reader, MqttVersion version, in MqttLimits limits)
    {
        var id = reader.PacketId();
        var properties = Properties(ref reader, PacketType.Subscribe, version, limits);
        var filters = new SubscribeFilter[Count(reader.Rest(), 1, out var list)];
        var items = new WireReader(list);
        for (var i = 0; i < filters.Length; i++)
        {
            filters[i] = new(Filter(ref items), items.Byte());
            var options = filters[i].Options;
            var legal = version == MqttVersion.V5 ? (options & 0xC0) == 0 && (options & 0x30) != 0x30 : (options & 0xFC) == 0;
            if (!legal || (options & 3) == 3) throw WireReader.Malformed(); // §3.8.3.1
        }
        return new(id, filters) { Properties = properties };
    }

    public static UnsubscribePacket Unsubscribe(ref WireReader reader, MqttVersion version, in MqttLimits limits)
    {
        var id = reader.PacketId();
        var properties = Properties(ref reader, PacketType.Unsubscribe, version, limits);
        var filters = new ReadOnlyMemory<byte>[Count(reader.Rest(), 0, out var list)];
        var items = new WireReader(list);
        for (var i = 0; i < filters.Length; i++) filters[i] = Filter(ref items);
        return new(id, filters) { Properties = properties };
    }

    public static SubAckPacket SubAck(PacketType type, ref WireReader reader, MqttVersion version, in MqttLimits limits)
    {
        var id = reader.PacketId();
        if (type == PacketType.UnsubAck && version != MqttVersion.V5) return new(type, id, default);
        var properties = Properties(ref reader, type, version, limits);
        var reasons = reader.Rest();
        if (reasons.IsEmpty) throw WireReader.Malformed();
        foreach (var reason in reasons.Span)
        {
            var known = type == PacketType.SubAck ? reason is <= 2 || (version == MqttVersion.V5 ? reason >= 0x80 : reason == 0x80)
                : reason is 0 or (byte)ReasonCode.NoSubscriptionExisted || reason >= 0x80;
            if (!known) throw new MqttProtocolException(ReasonCode.ProtocolError); // §3.9.3, §3.11.3
        }
        return new(type, id, reasons) { Properties = properties };
    }

    static MqttProperties Properties(ref WireReader reader, PacketType type, MqttVersion version, in MqttLimits limits)
        => version == MqttVersion.V5 ? MqttProperties.Read(ref reader, type, limits) : default;

    static ReadOnlyMemory<byte> Filter(ref WireReader reader)
    {
        var filter = reader.Text();
        return filter.IsEmpty ? throw WireReader.Malformed() : filter; // §4.7.3
    }

    /// <summary>Counts first, so that the array is exactly as large as the packet warrants.</summary>
    static int Count(ReadOnlyMemory<byte> list, int trailer, out ReadOnlyMemory<byte> same)
    {
        same = list;
        var reader = new WireReader(list);
        var count = 0;
        for (; reader.Left > 0; count++)
        {
            reader.Binary();
            reader.Take(trailer);
        }
        return count > 0 ? count : throw new MqttProtocolException(ReasonCode.ProtocolError); // §3.8.3, §3.10.3: at least one
    }
}
