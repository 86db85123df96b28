using System.Buffers;
using IotGateway.Connect.Configs;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Records;

/// <summary>Values as JSON and as plain text. Pure.</summary>
static class ValueJson
{
    static readonly DateTime Epoch = DateTime.UnixEpoch;

    /// <summary>A value as JSON; what JSON cannot say (NaN, infinities) becomes null.</summary>
    public static void Write(IBufferWriter<byte> to, in Value value, TimeFormat times, Int64Format wide)
    {
        switch (value.Type)
        {
            case DataType.None: JsonText.Raw(to, "null"u8); break;
            case DataType.Bool: JsonText.Raw(to, value.AsBool ? "true"u8 : "false"u8); break;
            case DataType.Int64: Wide(to, value.AsInt64, wide); break;
            case DataType.UInt64: Wide(to, value.AsUInt64, wide); break;
            case DataType.Float32 when value.IsFinite: JsonText.Number(to, value.AsFloat32); break;
            case DataType.Float64 when value.IsFinite: JsonText.Number(to, value.AsDouble); break;
            case DataType.Float32 or DataType.Float64: JsonText.Raw(to, "null"u8); break;
            case DataType.Decimal: JsonText.Number(to, value.AsDecimal); break;
            case DataType.String: JsonText.String(to, value.AsString); break;
            case DataType.Bytes: JsonText.Base64String(to, value.AsBytes.Span); break;
            case DataType.Time: Time(to, value.AsTime, times); break;
            case DataType.Array: Array(to, value.AsArray.Span, times, wide); break;
            case DataType.Structure: Structure(to, value.AsStructure, times, wide); break;
            default: JsonText.Number(to, value.AsInt64); break;
        }
    }

    /// <summary>A value as plain text: no quotes, floating point as NaN, Infinity, -Infinity where it is; arrays and structures as JSON.</summary>
    public static void WriteText(IBufferWriter<byte> to, in Value value, TimeFormat times, Int64Format wide)
    {
        switch (value.Type)
        {
            case DataType.String:
                var text = value.AsString;
                to.Advance(System.Text.Encoding.UTF8.GetBytes(text, to.GetSpan(System.Text.Encoding.UTF8.GetMaxByteCount(text.Length))));
                break;
            case DataType.Bytes:
                var bytes = value.AsBytes.Span;
                var span = to.GetSpan(System.Buffers.Text.Base64.GetMaxEncodedToUtf8Length(bytes.Length));
                System.Buffers.Text.Base64.EncodeToUtf8(bytes, span, out _, out var written);
                to.Advance(written);
                break;
            case DataType.Float32 or DataType.Float64 when !value.IsFinite: JsonText.Raw(to, NotFinite(value)); break;
            case DataType.Int64 or DataType.UInt64: Write(to, value, times, Int64Format.Number); break;
            case DataType.Time when times == TimeFormat.Iso: JsonText.Iso(to, value.AsTime); break;
            default: Write(to, value, times, wide); break;
        }
    }

    /// <summary>A time in the format chosen, quoted where it is text.</summary>
    public static void Time(IBufferWriter<byte> to, DateTime utc, TimeFormat format)
    {
        switch (format)
        {
            case TimeFormat.EpochMs: JsonText.Number(to, FloorDiv((utc - Epoch).Ticks, TimeSpan.TicksPerMillisecond)); break;
            case TimeFormat.EpochUs: JsonText.Number(to, FloorDiv((utc - Epoch).Ticks, TimeSpan.TicksPerMicrosecond)); break;
            default:
                JsonText.Raw(to, "\""u8);
                JsonText.Iso(to, utc);
                JsonText.Raw(to, "\""u8);
                break;
        }
    }

    /// <summary>Kafka's record timestamp: milliseconds since 1970, cut.</summary>
    public static long EpochMs(DateTime utc) => FloorDiv((utc - Epoch).Ticks, TimeSpan.TicksPerMillisecond);

    /// <summary>Which non-finite value it is.</summary>
    public static ReadOnlySpan<byte> NotFinite(in Value value)
        => double.IsNaN(value.AsDouble) ? "NaN"u8 : value.AsDouble > 0 ? "Infinity"u8 : "-Infinity"u8;

    static long FloorDiv(long ticks, long by) => ticks / by - (ticks % by < 0 ? 1 : 0);

    static void Wide<T>(IBufferWriter<byte> to, T value, Int64Format format) where T : IUtf8SpanFormattable
    {
        if (format == Int64Format.String) JsonText.Raw(to, "\""u8);
        JsonText.Number(to, value);
        if (format == Int64Format.String) JsonText.Raw(to, "\""u8);
    }

    static void Array(IBufferWriter<byte> to, ReadOnlySpan<Value> items, TimeFormat times, Int64Format wide)
    {
        JsonText.Raw(to, "["u8);
        for (var i = 0; i < items.Length; i++)
        {
            if (i > 0) JsonText.Raw(to, ","u8);
            Write(to, items[i], times, wide);
        }
        JsonText.Raw(to, "]"u8);
    }

    static void Structure(IBufferWriter<byte> to, IReadOnlyList<KeyValuePair<string, Value>> fields, TimeFormat times, Int64Format wide)
    {
        JsonText.Raw(to, "{"u8);
        for (var i = 0; i < fields.Count; i++)
        {
            if (i > 0) JsonText.Raw(to, ","u8);
            JsonText.String(to, fields[i].Key);
            JsonText.Raw(to, ":"u8);
            Write(to, fields[i].Value, times, wide);
        }
        JsonText.Raw(to, "}"u8);
    }
}
