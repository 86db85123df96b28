using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Unicode;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Mqtt.Mapping;

/// <summary>A payload that is one plain number or text, as a value of a given type. Pure.</summary>
static class PlainValue
{
    public static bool IsSupported(DataType type) => type is not (DataType.None or DataType.Array or DataType.Structure);

    /// <summary>Reads a payload; white space around numbers is ignored. False when it is no such value. Octets are not copied.</summary>
    public static bool TryRead(ReadOnlyMemory<byte> payload, DataType type, out Value value)
    {
        value = default;
        switch (type)
        {
            case DataType.Bytes:
                value = Value.Of(payload);
                return true;
            case DataType.String:
                if (!Utf8.IsValid(payload.Span)) return false;
                value = Value.Of(Encoding.UTF8.GetString(payload.Span));
                return true;
            default:
                return payload.Length <= 64 && TryNumber(payload.Span.Trim(" \t\r\n"u8), type, ref value);
        }
    }

    static bool TryNumber(ReadOnlySpan<byte> text, DataType type, ref Value value)
    {
        var c = CultureInfo.InvariantCulture;
        const NumberStyles real = NumberStyles.Float, integer = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint; // 21.0 is a whole number, 21.5 is none
        bool ok;
        switch (type)
        {
            case DataType.Float64: ok = double.TryParse(text, real, c, out var f64); value = Value.Of(f64); return ok;
            case DataType.Float32: ok = float.TryParse(text, real, c, out var f32); value = Value.Of(f32); return ok;
            case DataType.Decimal: ok = decimal.TryParse(text, real, c, out var dec); value = Value.Of(dec); return ok;
            case DataType.Int8: ok = sbyte.TryParse(text, integer, c, out var i8); value = Value.Of(i8); return ok;
            case DataType.Int16: ok = short.TryParse(text, integer, c, out var i16); value = Value.Of(i16); return ok;
            case DataType.Int32: ok = int.TryParse(text, integer, c, out var i32); value = Value.Of(i32); return ok;
            case DataType.Int64: ok = long.TryParse(text, integer, c, out var i64); value = Value.Of(i64); return ok;
            case DataType.UInt8: ok = byte.TryParse(text, integer, c, out var u8); value = Value.Of(u8); return ok;
            case DataType.UInt16: ok = ushort.TryParse(text, integer, c, out var u16); value = Value.Of(u16); return ok;
            case DataType.UInt32: ok = uint.TryParse(text, integer, c, out var u32); value = Value.Of(u32); return ok;
            case DataType.UInt64: ok = ulong.TryParse(text, integer, c, out var u64); value = Value.Of(u64); return ok;
            case DataType.Bool: return TryBool(text, ref value);
            case DataType.Time:
                ok = DateTime.TryParse(Encoding.UTF8.GetString(text), c, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal, out var time);
                value = Value.Of(time);
                return ok;
            default: return false;
        }
    }

    static bool TryBool(ReadOnlySpan<byte> text, ref Value value)
    {
        if (text is [(byte)'0' or (byte)'1'])
        {
            value = Value.Of(text[0] == '1');
            return true;
        }
        var ok = Utf8Parser.TryParse(text, out bool parsed, out var used) && used == text.Length;
        value = Value.Of(parsed);
        return ok;
    }
}
