using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Sparkplug.Wire;

/// <summary>Values of metrics (Sparkplug 3.0 §6.4.16). Signed integers are two's complement in unsigned fields. Pure.</summary>
static class MetricValue
{
    /// <summary>A metric's value in its type.</summary>
    /// <param name="metric">The metric.</param>
    /// <param name="type">Its type, from its birth.</param>
    /// <param name="room">How many elements of arrays may still be made of this payload; what is made is taken off.</param>
    /// <exception cref="PayloadException">The value is none of that type.</exception>
    public static Value Read(Metric metric, MetricType type, ref int room)
    {
        switch (metric.ValueCase)
        {
            case Metric.ValueOneofCase.None:
                return Value.None;
            case Metric.ValueOneofCase.BytesValue when type is >= MetricType.Int8Array and <= MetricType.DateTimeArray:
                return PackedArray.Read(type, metric.BytesValue.Span, ref room);
            case Metric.ValueOneofCase.BytesValue when type is MetricType.Bytes or MetricType.File:
                return Value.Of(metric.BytesValue.Memory);
            case Metric.ValueOneofCase.DatasetValue when type == MetricType.DataSet:
                return Composite.Of(metric.DatasetValue);
            case Metric.ValueOneofCase.TemplateValue when type == MetricType.Template:
                return Composite.Of(metric.TemplateValue, ref room);
            case Metric.ValueOneofCase.BytesValue or Metric.ValueOneofCase.DatasetValue or Metric.ValueOneofCase.TemplateValue:
                throw Wrong(type, metric.ValueCase.ToString());
            default:
                return Read(Scalar.Of(metric), type);
        }
    }

    /// <summary>A simple value in its type; None for none.</summary>
    /// <exception cref="PayloadException">The value is none of that type.</exception>
    public static Value Read(Scalar value, MetricType type) => type switch
    {
        _ when value.Kind == ScalarKind.None => Value.None,
        MetricType.Int8 => Value.Of((sbyte)Signed(value, type, 8)),
        MetricType.Int16 => Value.Of((short)Signed(value, type, 16)),
        MetricType.Int32 => Value.Of((int)Signed(value, type, 32)),
        MetricType.Int64 => Value.Of(Signed(value, type, 64)),
        MetricType.UInt8 => Value.Of((byte)Unsigned(value, type, byte.MaxValue)),
        MetricType.UInt16 => Value.Of((ushort)Unsigned(value, type, ushort.MaxValue)),
        MetricType.UInt32 => Value.Of((uint)Unsigned(value, type, uint.MaxValue)),
        MetricType.UInt64 => Value.Of(Unsigned(value, type, ulong.MaxValue)),
        MetricType.Float when value.Kind == ScalarKind.Float => Value.Of(value.AsFloat),
        MetricType.Float when value.Kind == ScalarKind.Double => Value.Of((float)value.AsDouble),
        MetricType.Double when value.Kind == ScalarKind.Double => Value.Of(value.AsDouble),
        MetricType.Double when value.Kind == ScalarKind.Float => Value.Of((double)value.AsFloat),
        MetricType.Boolean when value.Kind == ScalarKind.Bool => Value.Of(value.Bits != 0),
        MetricType.String or MetricType.Text or MetricType.Uuid when value.Kind == ScalarKind.Text => Value.Of(value.Text!),
        MetricType.DateTime when value.Kind is ScalarKind.Long or ScalarKind.Int => Time(value.Bits),
        MetricType.Unknown => Natural(value),
        _ => throw Wrong(type, value.Kind.ToString()),
    };

    /// <summary>A time given in milliseconds since 1970, before that as two's complement.</summary>
    /// <exception cref="PayloadException">Outside of the years 1 to 9999.</exception>
    public static Value Time(ulong milliseconds) => TryTime(milliseconds, out var time) ? Value.Of(time) : throw new PayloadException("A time is outside of the years 1 to 9999.");

    /// <summary>The same, where such a time is just not used.</summary>
    public static bool TryTime(ulong milliseconds, out DateTime time)
    {
        const long First = -62_135_596_800_000, Last = 253_402_300_799_999;
        var ms = unchecked((long)milliseconds);
        time = ms is >= First and <= Last ? DateTime.UnixEpoch.AddTicks(ms * TimeSpan.TicksPerMillisecond) : default;
        return ms is >= First and <= Last;
    }

    static Value Natural(Scalar value) => value.Kind switch
    {
        ScalarKind.Int => Value.Of((uint)value.Bits),
        ScalarKind.Long => Value.Of(value.Bits),
        ScalarKind.Float => Value.Of(value.AsFloat),
        ScalarKind.Double => Value.Of(value.AsDouble),
        ScalarKind.Bool => Value.Of(value.Bits != 0),
        _ => Value.Of(value.Text!),
    };

    // Edge nodes are seen that extend the sign to the field's width, and others that fill only the type's own bits: both are taken.
    static long Signed(Scalar value, MetricType type, int bits)
    {
        if (value.Kind is not (ScalarKind.Int or ScalarKind.Long)) throw Wrong(type, value.Kind.ToString());
        var extended = value.Kind == ScalarKind.Int ? (int)(uint)value.Bits : unchecked((long)value.Bits);
        var cut = extended << (64 - bits) >> (64 - bits);
        if (cut == extended || bits < 64 && value.Bits >> bits == 0) return cut;
        throw Wrong(type, "a larger number");
    }

    static ulong Unsigned(Scalar value, MetricType type, ulong most)
        => value.Kind is not (ScalarKind.Int or ScalarKind.Long) ? throw Wrong(type, value.Kind.ToString()) : value.Bits <= most ? value.Bits : throw Wrong(type, "a larger number");

    static PayloadException Wrong(MetricType type, string found) => new($"A value of type {type} is {found}.");
}
