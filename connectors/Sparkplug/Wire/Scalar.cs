namespace IotGateway.Connectors.Sparkplug.Wire;

/// <summary>A simple value as it stands in a metric, property, parameter or cell: the four say it the same way in different messages.</summary>
readonly record struct Scalar(ScalarKind Kind, ulong Bits = 0, string? Text = null)
{
    public static Scalar Of(Metric m) => m.ValueCase switch
    {
        Metric.ValueOneofCase.IntValue => new(ScalarKind.Int, m.IntValue),
        Metric.ValueOneofCase.LongValue => new(ScalarKind.Long, m.LongValue),
        Metric.ValueOneofCase.FloatValue => Float(m.FloatValue),
        Metric.ValueOneofCase.DoubleValue => Double(m.DoubleValue),
        Metric.ValueOneofCase.BooleanValue => Bool(m.BooleanValue),
        Metric.ValueOneofCase.StringValue => new(ScalarKind.Text, 0, m.StringValue),
        _ => default,
    };

    public static Scalar Of(PropertyValue p) => p.ValueCase switch
    {
        PropertyValue.ValueOneofCase.IntValue => new(ScalarKind.Int, p.IntValue),
        PropertyValue.ValueOneofCase.LongValue => new(ScalarKind.Long, p.LongValue),
        PropertyValue.ValueOneofCase.FloatValue => Float(p.FloatValue),
        PropertyValue.ValueOneofCase.DoubleValue => Double(p.DoubleValue),
        PropertyValue.ValueOneofCase.BooleanValue => Bool(p.BooleanValue),
        PropertyValue.ValueOneofCase.StringValue => new(ScalarKind.Text, 0, p.StringValue),
        _ => default,
    };

    public static Scalar Of(DataSet.Types.DataSetValue v) => v.ValueCase switch
    {
        DataSet.Types.DataSetValue.ValueOneofCase.IntValue => new(ScalarKind.Int, v.IntValue),
        DataSet.Types.DataSetValue.ValueOneofCase.LongValue => new(ScalarKind.Long, v.LongValue),
        DataSet.Types.DataSetValue.ValueOneofCase.FloatValue => Float(v.FloatValue),
        DataSet.Types.DataSetValue.ValueOneofCase.DoubleValue => Double(v.DoubleValue),
        DataSet.Types.DataSetValue.ValueOneofCase.BooleanValue => Bool(v.BooleanValue),
        DataSet.Types.DataSetValue.ValueOneofCase.StringValue => new(ScalarKind.Text, 0, v.StringValue),
        _ => default,
    };

    public static Scalar Of(Template.Types.Parameter p) => p.ValueCase switch
    {
        Template.Types.Parameter.ValueOneofCase.IntValue => new(ScalarKind.Int, p.IntValue),
        Template.Types.Parameter.ValueOneofCase.LongValue => new(ScalarKind.Long, p.LongValue),
        Template.Types.Parameter.ValueOneofCase.FloatValue => Float(p.FloatValue),
        Template.Types.Parameter.ValueOneofCase.DoubleValue => Double(p.DoubleValue),
        Template.Types.Parameter.ValueOneofCase.BooleanValue => Bool(p.BooleanValue),
        Template.Types.Parameter.ValueOneofCase.StringValue => new(ScalarKind.Text, 0, p.StringValue),
        _ => default,
    };

    public float AsFloat => BitConverter.UInt32BitsToSingle((uint)Bits);

    public double AsDouble => BitConverter.UInt64BitsToDouble(Bits);

    static Scalar Float(float v) => new(ScalarKind.Float, BitConverter.SingleToUInt32Bits(v));

    static Scalar Double(double v) => new(ScalarKind.Double, BitConverter.DoubleToUInt64Bits(v));

    static Scalar Bool(bool v) => new(ScalarKind.Bool, v ? 1UL : 0);
}

/// <summary>Which field held a <see cref="Scalar"/>.</summary>
enum ScalarKind
{
    None,
    Int,
    Long,
    Float,
    Double,
    Bool,
    Text,
}
