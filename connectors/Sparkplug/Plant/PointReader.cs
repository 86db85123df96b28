using IotGateway.Connectors.Sparkplug.Wire;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Sparkplug.Plant;

/// <summary>Metrics as tags and readings, and how many metrics are remembered in all. One thread.</summary>
sealed class PointReader(ConnectorContext context)
{
    /// <summary>Counter of an edge node's sessions, in NBIRTH and NDEATH (Sparkplug 3.0 §6.4.20): no data of the plant.</summary>
    public const string BirthDeathSequence = "bdSeq";

    const int LongestName = 500;
    const int MostPoints = 1_000_000;
    const string NodeControl = "Node Control/", DeviceControl = "Device Control/"; // §6.4.7
    const string Unit = "engUnit", Quality = "Quality"; // well-known properties, §6.4.13
    const int Good = 192, Stale = 500; // §6.4.13

    int _points;

    /// <summary>A device has other metrics now.</summary>
    /// <param name="before">How many it had.</param>
    /// <param name="after">How many it wants to have.</param>
    /// <returns>How many it may have.</returns>
    public int Admit(int before, int after)
    {
        after = Math.Min(after, MostPoints - (_points - before));
        _points += after - before;
        return after;
    }

    /// <summary>A metric of a birth; null for what is none.</summary>
    /// <exception cref="PayloadException">It has no name, or an endless one.</exception>
    public MetricPoint? Define(PlantDevice device, Metric metric)
    {
        if (metric.Name.Length == 0) throw new PayloadException("A metric of a birth has no name.");
        if (metric.Name.Length > LongestName) throw new PayloadException($"The name of a metric is longer than {LongestName} characters.");
        if (metric.Name == BirthDeathSequence) return null;
        var type = MetricTypes.Of(metric);
        var noData = metric.Name.StartsWith(NodeControl, StringComparison.Ordinal) || metric.Name.StartsWith(DeviceControl, StringComparison.Ordinal)
            || metric.TemplateValue is { IsDefinition: true } || type == MetricType.Unknown;
        return new(metric.Name, metric.HasAlias ? metric.Alias : null, type, noData ? null : context.Tag(device.Name, metric.Name, type.ToDataType(), UnitOf(metric)), metric.HasLongValue);
    }

    /// <summary>A metric's reading. A value that is none of its type is a bad reading; <paramref name="error"/> says why.</summary>
    /// <param name="tag">Its tag.</param>
    /// <param name="type">Its type.</param>
    /// <param name="metric">What came.</param>
    /// <param name="message">In what.</param>
    /// <param name="doubt">Why its alias may mean another metric by now; null when it does not.</param>
    /// <param name="room">Room for elements of arrays.</param>
    /// <param name="error">What is wrong with the value.</param>
    public static Reading Read(Tag tag, MetricType type, Metric metric, Message message, string? doubt, ref int room, out string? error)
    {
        error = null;
        var time = metric.HasTimestamp ? metric.Timestamp : message.Payload.Timestamp;
        if (time == 0 || !MetricValue.TryTime(time, out var source)) source = DateTime.MinValue;
        var reading = new Reading(tag, Value.None, source, message.Received) { Backfill = metric.IsHistorical };
        try
        {
            var value = metric.IsNull ? Value.None : MetricValue.Read(metric, type, ref room);
            if (value.IsNone) return reading with { Quality = Sdk.Data.Quality.Bad, Status = "sparkplug:null" };
            return Judge(reading with { Value = value }, metric, doubt);
        }
        catch (PayloadException e)
        {
            error = $"{tag}: {e.Message}";
            return reading with { Quality = Sdk.Data.Quality.Bad, Status = "sparkplug:malformed" };
        }
    }

    static Reading Judge(Reading reading, Metric metric, string? doubt)
    {
        if (Property(metric, Quality) is { Kind: ScalarKind.Int or ScalarKind.Long } property && property.Bits != Good)
            return reading with
            {
                // The specification knows 0, 192 and 500; the ranges between are those of OPC, where the codes come from.
                Quality = property.Bits is > Good and < 256 ? Sdk.Data.Quality.Good : property.Bits is >= 64 and < Good ? Sdk.Data.Quality.Uncertain : Sdk.Data.Quality.Bad,
                Status = property.Bits == Stale ? "sparkplug:stale" : property.Bits is > Good and < 256 ? null : $"sparkplug:quality-{property.Bits}",
            };
        return doubt is null ? reading : reading with { Quality = Sdk.Data.Quality.Uncertain, Status = doubt };
    }

    static string? UnitOf(Metric metric) => Property(metric, Unit) is { Text: { Length: > 0 and <= LongestName } text } ? text : null;

    static Scalar? Property(Metric metric, string name)
    {
        if (metric.Properties is not { } properties) return null;
        for (var i = 0; i < properties.Keys.Count && i < properties.Values.Count; i++)
            if (properties.Keys[i] == name) return properties.Values[i].IsNull ? null : Scalar.Of(properties.Values[i]);
        return null;
    }
}
