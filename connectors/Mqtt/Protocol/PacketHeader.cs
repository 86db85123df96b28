namespace IotGateway.Connectors.Mqtt.Protocol;

/// <summary>A fixed header (MQTT 5 §2.1): what decides, before the rest is buffered, whether it will be.</summary>
/// <param name="First">Type and flags.</param>
/// <param name="Size">Bytes of the header itself, 2 to 5.</param>
/// <param name="Body">Bytes that follow.</param>
readonly record struct PacketHeader(byte First, int Size, int Body)
{
    public PacketType Type => (PacketType)(First >> 4);

    /// <summary>Whole packet.</summary>
    public int Total => Size + Body;

    /// <summary>Reads a fixed header; false while too few bytes are there to tell.</summary>
    /// <exception cref="MqttProtocolException">Unknown type, wrong flags, ill-formed length, or a packet over the limit.</exception>
    public static bool TryRead(ReadOnlySpan<byte> data, MqttVersion version, in MqttLimits limits, out PacketHeader header)
    {
        header = default;
        if (data.IsEmpty) return false;
        CheckFirst(data[0], version);
        var body = 0;
        for (var i = 1; i < data.Length; i++)
        {
            var b = data[i];
            body |= (b & 0x7F) << 7 * (i - 1);
            // Already the part read so far may be over the limit: say so before waiting for more.
            if (body > limits.MaxPacketSize) throw new MqttProtocolException(ReasonCode.PacketTooLarge);
            if ((b & 0x80) == 0)
            {
                if (b == 0 && i > 1 && version == MqttVersion.V5) throw WireReader.Malformed(); // shortest form, MQTT 5 §1.5.5
                header = new(data[0], i + 1, body);
                return header.Total <= limits.MaxPacketSize ? true : throw new MqttProtocolException(ReasonCode.PacketTooLarge);
            }
            if (i == 4) throw WireReader.Malformed();
        }
        return false;
    }

    /// <summary>Table 2-2 of MQTT 5 §2.1.3: flags are fixed but for PUBLISH.</summary>
    static void CheckFirst(byte first, MqttVersion version)
    {
        var flags = first & 0x0F;
        var right = (PacketType)(first >> 4) switch
        {
            0 => false,
            PacketType.Publish => (flags & 0x06) != 0x06 && (flags & 0x0E) != 0x08, // no QoS 3 (§3.3.1.2), no DUP at QoS 0 (§3.3.1.1)
            PacketType.PubRel or PacketType.Subscribe or PacketType.Unsubscribe => flags == 0x02 || (version == MqttVersion.V31 && (flags & 0x06) == 0x02),
            PacketType.Auth => flags == 0 && version == MqttVersion.V5,
            _ => flags == 0 || version == MqttVersion.V31,
        };
        if (!right) throw WireReader.Malformed();
    }
}
