using System.Buffers.Binary;
using System.Text.Unicode;

namespace IotGateway.Connectors.Mqtt.Protocol;

/// <summary>
/// A cursor over one packet's bytes (MQTT 5 §1.5 data representation). Hands out slices, copies nothing; reading past the end or an
/// ill-formed item is <see cref="ReasonCode.MalformedPacket"/>.
/// </summary>
ref struct WireReader(ReadOnlyMemory<byte> data)
{
    int _at;

    /// <summary>Bytes not read yet.</summary>
    public readonly int Left => data.Length - _at;

    /// <summary>Position from the start.</summary>
    public readonly int At => _at;

    /// <summary>Next bytes as a slice.</summary>
    public ReadOnlyMemory<byte> Take(int count)
    {
        if ((uint)count > (uint)Left) throw Malformed();
        var slice = data.Slice(_at, count);
        _at += count;
        return slice;
    }

    /// <summary>Everything left.</summary>
    public ReadOnlyMemory<byte> Rest() => Take(Left);

    public byte Byte() => Take(1).Span[0];

    /// <summary>§1.5.2.</summary>
    public ushort UInt16() => BinaryPrimitives.ReadUInt16BigEndian(Take(2).Span);

    /// <summary>§1.5.3.</summary>
    public uint UInt32() => BinaryPrimitives.ReadUInt32BigEndian(Take(4).Span);

    /// <summary>§1.5.5; at most four bytes, in the shortest form.</summary>
    public uint VarInt()
    {
        uint value = 0;
        for (var shift = 0; shift <= 21; shift += 7)
        {
            var b = Byte();
            value |= (uint)(b & 0x7F) << shift;
            if ((b & 0x80) != 0) continue;
            if (b == 0 && shift > 0) throw Malformed();
            return value;
        }
        throw Malformed();
    }

    /// <summary>§1.5.6.</summary>
    public ReadOnlyMemory<byte> Binary() => Take(UInt16());

    /// <summary>§1.5.4: well-formed UTF-8 without U+0000; the reader refuses surrogates as ill-formed and keeps U+FEFF.</summary>
    public ReadOnlyMemory<byte> Text()
    {
        var text = Binary();
        return Utf8.IsValid(text.Span) && !text.Span.Contains((byte)0) ? text : throw Malformed();
    }

    /// <summary>A packet identifier, which is never 0 (§2.2.1).</summary>
    public ushort PacketId() => UInt16() is not 0 and var id ? id : throw new MqttProtocolException(ReasonCode.ProtocolError);

    /// <summary>Throws unless everything was read.</summary>
    public readonly void End()
    {
        if (Left != 0) throw Malformed();
    }

    public static MqttProtocolException Malformed() => new(ReasonCode.MalformedPacket);
}
