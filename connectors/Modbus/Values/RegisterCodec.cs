using System.Buffers.Binary;
using System.Text;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Modbus.Values;

/// <summary>Registers as they are on the wire ⇄ unscaled <see cref="Value"/>. Pure; no allocation but for text and octets.</summary>
internal static class RegisterCodec
{
    /// <summary>Reads a value.</summary>
    /// <param name="type">What it is; a bool is true when the registers are not 0.</param>
    /// <param name="order">Byte order.</param>
    /// <param name="length">Octets of text or octets; ignored otherwise.</param>
    /// <param name="wire">The registers' bytes.</param>
    public static Value Decode(RegisterType type, ByteOrder order, int length, ReadOnlySpan<byte> wire)
    {
        if (type is RegisterType.String or RegisterType.Bytes) return DecodeOctets(type, order, length, wire);
        Span<byte> b = stackalloc byte[wire.Length];
        wire.CopyTo(b);
        order.Swap(b);
        return type switch
        {
            RegisterType.Bool => Value.Of(BinaryPrimitives.ReadUInt16BigEndian(b) != 0),
            RegisterType.Int16 => Value.Of(BinaryPrimitives.ReadInt16BigEndian(b)),
            RegisterType.UInt16 => Value.Of(BinaryPrimitives.ReadUInt16BigEndian(b)),
            RegisterType.Int32 => Value.Of(BinaryPrimitives.ReadInt32BigEndian(b)),
            RegisterType.UInt32 => Value.Of(BinaryPrimitives.ReadUInt32BigEndian(b)),
            RegisterType.Int64 => Value.Of(BinaryPrimitives.ReadInt64BigEndian(b)),
            RegisterType.UInt64 => Value.Of(BinaryPrimitives.ReadUInt64BigEndian(b)),
            RegisterType.Float32 => Value.Of(BinaryPrimitives.ReadSingleBigEndian(b)),
            _ => Value.Of(BinaryPrimitives.ReadDoubleBigEndian(b)),
        };
    }

    /// <summary>Writes a value of exactly the type's own kind; the result has the type's number of registers.</summary>
    /// <exception cref="ArgumentException">Text or octets are longer than <paramref name="length"/>, or text is not Latin-1.</exception>
    public static byte[] Encode(RegisterType type, ByteOrder order, int length, Value value)
    {
        var b = new byte[type.Registers(length) * 2];
        switch (type)
        {
            case RegisterType.Bool: BinaryPrimitives.WriteUInt16BigEndian(b, value.AsBool ? (ushort)1 : (ushort)0); break;
            case RegisterType.Int16: BinaryPrimitives.WriteInt16BigEndian(b, (short)value.AsInt64); break;
            case RegisterType.UInt16: BinaryPrimitives.WriteUInt16BigEndian(b, (ushort)value.AsInt64); break;
            case RegisterType.Int32: BinaryPrimitives.WriteInt32BigEndian(b, (int)value.AsInt64); break;
            case RegisterType.UInt32: BinaryPrimitives.WriteUInt32BigEndian(b, (uint)value.AsInt64); break;
            case RegisterType.Int64: BinaryPrimitives.WriteInt64BigEndian(b, value.AsInt64); break;
            case RegisterType.UInt64: BinaryPrimitives.WriteUInt64BigEndian(b, value.AsUInt64); break;
            case RegisterType.Float32: BinaryPrimitives.WriteSingleBigEndian(b, value.AsFloat32); break;
            case RegisterType.Float64: BinaryPrimitives.WriteDoubleBigEndian(b, value.AsDouble); break;
            default: EncodeOctets(type, length, value, b); break;
        }
        (type is RegisterType.String or RegisterType.Bytes ? order with { WordsSwapped = false } : order).Swap(b);
        return b;
    }

    static Value DecodeOctets(RegisterType type, ByteOrder order, int length, ReadOnlySpan<byte> wire)
    {
        var octets = wire.ToArray();
        (order with { WordsSwapped = false }).Swap(octets);
        if (type == RegisterType.Bytes) return Value.Of(octets.AsMemory(0, length));
        var text = octets.AsSpan(0, length);
        var end = text.IndexOf((byte)0);
        // Devices pad with NUL or with spaces; Latin-1 gives every octet a character, so that nothing is lost.
        return Value.Of(Encoding.Latin1.GetString(end < 0 ? text : text[..end]).TrimEnd(' '));
    }

    static void EncodeOctets(RegisterType type, int length, Value value, Span<byte> target)
    {
        if (type == RegisterType.String && value.AsString.Any(c => c > 255))
            throw new ArgumentException($"The text '{value}' has characters the device can not hold; allowed are those of Latin-1.");
        ReadOnlySpan<byte> octets = type == RegisterType.String ? Encoding.Latin1.GetBytes(value.AsString) : value.AsBytes.Span;
        if (octets.Length > length) throw new ArgumentException($"{octets.Length} octets do not fit into the tag's {length}.");
        octets.CopyTo(target);
    }
}
