using Google.Protobuf;
using IotGateway.Connectors.Sparkplug.Wire;

namespace IotGateway.Tests.Sparkplug.Support;

/// <summary>Metrics and payloads, shortly.</summary>
static class Metrics
{
    public static Metric Of(string name, MetricType type, Action<Metric> value, ulong? alias = null)
    {
        var metric = new Metric { Name = name, Datatype = (uint)type };
        if (alias is { } a) metric.Alias = a;
        value(metric);
        return metric;
    }

    public static Metric Int(string name, int value, ulong? alias = null) => Of(name, MetricType.Int32, m => m.IntValue = unchecked((uint)value), alias);

    public static Metric Double(string name, double value, ulong? alias = null) => Of(name, MetricType.Double, m => m.DoubleValue = value, alias);

    public static Metric Session(ulong bdSeq) => Of("bdSeq", MetricType.Int64, m => m.LongValue = bdSeq);

    /// <summary>A value by alias alone, as data have it.</summary>
    public static Metric Alias(ulong alias, int value) => new() { Alias = alias, IntValue = unchecked((uint)value) };

    public static Metric With(this Metric metric, string property, MetricType type, Action<PropertyValue> value)
    {
        metric.Properties ??= new();
        metric.Properties.Keys.Add(property);
        var p = new PropertyValue { Type = (uint)type };
        value(p);
        metric.Properties.Values.Add(p);
        return metric;
    }

    public static byte[] Payload(int? seq, params Metric[] metrics) => Payload(seq, null, metrics);

    public static byte[] Payload(int? seq, ulong? timestamp, params Metric[] metrics)
    {
        var payload = new Payload();
        if (timestamp is { } t) payload.Timestamp = t;
        if (seq is { } s) payload.Seq = (ulong)s;
        payload.Metrics.AddRange(metrics);
        return payload.ToByteArray();
    }
}
