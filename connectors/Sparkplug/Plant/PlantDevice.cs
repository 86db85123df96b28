using IotGateway.Connectors.Sparkplug.Wire;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Sparkplug.Plant;

/// <summary>A device of an edge node, or the edge node itself, with the metrics of its last birth. Owned by its <see cref="EdgeNode"/>.</summary>
/// <param name="id">Its id; null for the edge node itself.</param>
/// <param name="name">Its name in the gateway.</param>
sealed class PlantDevice(string? id, string name)
{
    Dictionary<string, MetricPoint> _byName = new(StringComparer.Ordinal);
    Dictionary<ulong, MetricPoint> _byAlias = [];

    public string? Id => id;

    public string Name => name;

    /// <summary>Born, and not dead since.</summary>
    public bool Alive { get; set; }

    /// <summary>Until when its birth must follow that of its edge node; null when nothing is due. By <see cref="TimeProvider.GetTimestamp"/>.</summary>
    public long? BirthDue { get; set; }

    /// <summary>Known from an earlier run, and not born in this one: its metrics are not known.</summary>
    public bool IsRestored { get; set; }

    public IReadOnlyCollection<MetricPoint> Points => _byName.Values;

    public MetricPoint? Find(string metric) => _byName.GetValueOrDefault(metric);

    /// <summary>The metric a message means: by alias, or by name.</summary>
    public MetricPoint? Find(Metric metric)
    {
        if (metric.HasAlias && _byAlias.GetValueOrDefault(metric.Alias) is { } point) return point;
        return metric.HasName ? _byName.GetValueOrDefault(metric.Name) : null;
    }

    /// <summary>Takes the metrics of a new birth. Returns the tags that are no more.</summary>
    public IReadOnlyList<Tag> Define(IReadOnlyList<MetricPoint> points)
    {
        var before = _byName;
        _byName = new(points.Count, StringComparer.Ordinal);
        _byAlias = [];
        foreach (var point in points)
        {
            _byName[point.Name] = point;
            if (point.Alias is { } alias) _byAlias[alias] = point;
        }
        return [.. before.Values.Where(p => p.Tag is not null && _byName.GetValueOrDefault(p.Name)?.Tag is null).Select(p => p.Tag!)];
    }
}
