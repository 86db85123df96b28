using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Sparkplug.Wire;

/// <summary>Data types in the gateway's terms. Pure.</summary>
static class MetricTypes
{
    /// <summary>The type of a metric's readings.</summary>
    public static DataType ToDataType(this MetricType type) => type switch
    {
        MetricType.Int8 => DataType.Int8,
        MetricType.Int16 => DataType.Int16,
        MetricType.Int32 => DataType.Int32,
        MetricType.Int64 => DataType.Int64,
        MetricType.UInt8 => DataType.UInt8,
        MetricType.UInt16 => DataType.UInt16,
        MetricType.UInt32 => DataType.UInt32,
        MetricType.UInt64 => DataType.UInt64,
        MetricType.Float => DataType.Float32,
        MetricType.Double => DataType.Float64,
        MetricType.Boolean => DataType.Bool,
        MetricType.String or MetricType.Text or MetricType.Uuid => DataType.String,
        MetricType.DateTime => DataType.Time,
        MetricType.Bytes or MetricType.File => DataType.Bytes,
        MetricType.DataSet or MetricType.Template or MetricType.PropertySet => DataType.Structure,
        >= MetricType.PropertySetList and <= MetricType.DateTimeArray => DataType.Array,
        _ => DataType.None,
    };

    /// <summary>The type of a metric: as its birth says, else what its value looks like.</summary>
    public static MetricType Of(Metric metric)
    {
        if (metric.HasDatatype && (MetricType)metric.Datatype is > MetricType.Unknown and <= MetricType.DateTimeArray and var declared) return declared;
        return metric.ValueCase switch
        {
            Metric.ValueOneofCase.IntValue => MetricType.UInt32,
            Metric.ValueOneofCase.LongValue => MetricType.UInt64,
            Metric.ValueOneofCase.FloatValue => MetricType.Float,
            Metric.ValueOneofCase.DoubleValue => MetricType.Double,
            Metric.ValueOneofCase.BooleanValue => MetricType.Boolean,
            Metric.ValueOneofCase.StringValue => MetricType.String,
            Metric.ValueOneofCase.BytesValue => MetricType.Bytes,
            Metric.ValueOneofCase.DatasetValue => MetricType.DataSet,
            Metric.ValueOneofCase.TemplateValue => MetricType.Template,
            _ => MetricType.Unknown,
        };
    }
}
