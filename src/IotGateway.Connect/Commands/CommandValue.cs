using System.Text.Json;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Commands;

/// <summary>A command's JSON value in the type of its tag: exact or not at all, nothing is rounded, cut or guessed. Pure.</summary>
static class CommandValue
{
    public static bool TryConvert(JsonElement json, DataType type, out Value value)
    {
        value = type switch
        {
            DataType.Bool when json.ValueKind is JsonValueKind.True or JsonValueKind.False => Value.Of(json.GetBoolean()),
            DataType.String when json.ValueKind == JsonValueKind.String => Value.Of(json.GetString()!),
            DataType.Bytes when json.ValueKind == JsonValueKind.String && json.TryGetBytesFromBase64(out var b) => Value.Of((ReadOnlyMemory<byte>)b),
            DataType.Time when json.ValueKind == JsonValueKind.String && json.TryGetDateTimeOffset(out var t) => Value.Of(t.UtcDateTime),
            DataType.Int64 when Wide(json, out var text) && long.TryParse(text, Style, Culture, out var v) => Value.Of(v),
            DataType.UInt64 when Wide(json, out var text) && ulong.TryParse(text, Style, Culture, out var v) => Value.Of(v),
            _ when json.ValueKind == JsonValueKind.Number => Number(json, type),
            _ => Value.None,
        };
        return !value.IsNone;
    }

    /// <summary>A number as decimal; null when it is none or out of decimal's range.</summary>
    public static decimal? AsDecimal(in Value value) => value.Type switch
    {
        DataType.Decimal => value.AsDecimal,
        DataType.UInt64 => value.AsUInt64,
        // By its shortest text: a float32 meant as 0.1 is 0.1, not above it.
        DataType.Float32 => Shortest(value.AsFloat32.ToString("R", Culture)),
        DataType.Float64 => Shortest(value.AsDouble.ToString("R", Culture)),
        >= DataType.Int8 and <= DataType.UInt32 => value.AsInt64,
        _ => null,
    };

    /// <summary>Whether two values are the same within a tolerance; numbers of different types compare by value.</summary>
    public static bool Near(in Value a, in Value b, decimal tolerance)
        => AsDecimal(a) is { } x && AsDecimal(b) is { } y ? Math.Abs(x - y) <= tolerance : a == b;

    static decimal? Shortest(string text) => decimal.TryParse(text, System.Globalization.NumberStyles.Float, Culture, out var number) ? number : null;

    static System.Globalization.NumberStyles Style => System.Globalization.NumberStyles.AllowLeadingSign;
    static System.Globalization.CultureInfo Culture => System.Globalization.CultureInfo.InvariantCulture;

    // 64 bit integers may come as text, because many JSON writers round them.
    static bool Wide(JsonElement json, out string? text)
    {
        text = json.ValueKind == JsonValueKind.String ? json.GetString() : json.ValueKind == JsonValueKind.Number ? json.GetRawText() : null;
        if (json.ValueKind == JsonValueKind.Number && json.TryGetDecimal(out var d) && decimal.IsInteger(d)) text = decimal.Truncate(d).ToString("0", Culture);
        return text is not null;
    }

    static Value Number(JsonElement json, DataType type)
    {
        if (type is DataType.Float32 or DataType.Float64)
        {
            if (!json.TryGetDouble(out var d) || !double.IsFinite(d)) return Value.None;
            return type == DataType.Float64 ? Value.Of(d) : float.IsFinite((float)d) ? Value.Of((float)d) : Value.None;
        }
        if (!json.TryGetDecimal(out var m)) return Value.None;
        if (type == DataType.Decimal) return Value.Of(m);
        if (!decimal.IsInteger(m)) return Value.None;
        return type switch
        {
            DataType.Int8 when m is >= sbyte.MinValue and <= sbyte.MaxValue => Value.Of((sbyte)m),
            DataType.Int16 when m is >= short.MinValue and <= short.MaxValue => Value.Of((short)m),
            DataType.Int32 when m is >= int.MinValue and <= int.MaxValue => Value.Of((int)m),
            DataType.UInt8 when m is >= byte.MinValue and <= byte.MaxValue => Value.Of((byte)m),
            DataType.UInt16 when m is >= ushort.MinValue and <= ushort.MaxValue => Value.Of((ushort)m),
            DataType.UInt32 when m is >= uint.MinValue and <= uint.MaxValue => Value.Of((uint)m),
            _ => Value.None,
        };
    }
}
