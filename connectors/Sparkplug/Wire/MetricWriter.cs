using Google.Protobuf;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Sparkplug.Wire;

/// <summary>Puts a value into a metric of the type its birth told: exactly, or not at all (a floating point number may be rounded to Float). Pure.</summary>
static class MetricWriter
{
    /// <param name="to">The metric.</param>
    /// <param name="type">Its type.</param>
    /// <param name="value">The value.</param>
    /// <param name="wide">Whether an integer of up to 32 bits stands in the 64 bit field.</param>
    /// <exception cref="PayloadException">The value does not fit the type; the message says why.</exception>
    public static void Write(Metric to, MetricType type, Value value, bool wide = false)
    {
        to.Datatype = (uint)type;
        switch (type)
        {
            case MetricType.Int8: to.IntValue = unchecked((uint)(int)Integer(value, type, sbyte.MinValue, sbyte.MaxValue)); break;
            case MetricType.Int16: to.IntValue = unchecked((uint)(int)Integer(value, type, short.MinValue, short.MaxValue)); break;
            case MetricType.Int32: to.IntValue = unchecked((uint)(int)Integer(value, type, int.MinValue, int.MaxValue)); break;
            case MetricType.Int64: to.LongValue = unchecked((ulong)(long)Integer(value, type, long.MinValue, long.MaxValue)); break;
            case MetricType.UInt8: to.IntValue = (uint)Integer(value, type, 0, byte.MaxValue); break;
            case MetricType.UInt16: to.IntValue = (uint)Integer(value, type, 0, ushort.MaxValue); break;
            case MetricType.UInt32: to.IntValue = (uint)Integer(value, type, 0, uint.MaxValue); break;
            case MetricType.UInt64: to.LongValue = (ulong)Integer(value, type, 0, ulong.MaxValue); break;
            case MetricType.Float when value.IsNumber && float.IsFinite((float)value.AsDouble): to.FloatValue = (float)value.AsDouble; break;
            case MetricType.Double when value.IsNumber && value.IsFinite: to.DoubleValue = value.AsDouble; break;
            case MetricType.Boolean when value.Type == DataType.Bool: to.BooleanValue = value.AsBool; break;
            case MetricType.String or MetricType.Text or MetricType.Uuid when value.Type == DataType.String: to.StringValue = value.AsString; break;
            case MetricType.DateTime when value.Type == DataType.Time: to.LongValue = unchecked((ulong)((value.AsTime - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMillisecond)); break;
            case MetricType.Bytes or MetricType.File when value.Type == DataType.Bytes: to.BytesValue = ByteString.CopyFrom(value.AsBytes.Span); break;
            default: throw Misfit(value, type);
        }
        if (wide && to.HasIntValue) to.LongValue = type <= MetricType.Int32 ? unchecked((ulong)(int)to.IntValue) : to.IntValue;
    }

    static decimal Integer(Value value, MetricType type, decimal least, decimal most)
    {
        if (!value.IsNumber || value.Type == DataType.Bool || !value.IsFinite) throw Misfit(value, type);
        var number = value.Type switch
        {
            DataType.Decimal => value.AsDecimal,
            DataType.UInt64 => value.AsUInt64,
            DataType.Float32 or DataType.Float64 => Math.Abs(value.AsDouble) < 1e20 ? (decimal)value.AsDouble : throw Misfit(value, type),
            _ => value.AsInt64,
        };
        return decimal.IsInteger(number) && number >= least && number <= most ? number : throw Misfit(value, type);
    }

    static PayloadException Misfit(Value value, MetricType type) => new($"{value} ({value.Type.ToString().ToLowerInvariant()}) cannot be written to a metric of type {type}.");
}
