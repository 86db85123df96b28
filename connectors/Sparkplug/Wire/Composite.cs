using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Sparkplug.Wire;

/// <summary>Data sets, templates and property sets as structures. Pure.</summary>
static class Composite
{
    /// <summary>A table: <c>columns</c> with their names, <c>types</c> of the columns, <c>rows</c> with the cells.</summary>
    /// <exception cref="PayloadException">A row has not as many cells as there are columns, or a cell is not of its column's type.</exception>
    public static Value Of(DataSet set)
    {
        var columns = set.Columns.Select(c => Value.Of(c)).ToArray();
        if (set.Types_.Count != columns.Length) throw new PayloadException($"A data set has {columns.Length} columns and {set.Types_.Count} types.");
        var types = set.Types_.Select(t => (MetricType)t).ToArray();
        var rows = new Value[set.Rows.Count];
        for (var r = 0; r < rows.Length; r++)
        {
            var row = set.Rows[r].Elements;
            if (row.Count != types.Length) throw new PayloadException($"A row of a data set with {types.Length} columns has {row.Count} cells.");
            var cells = new Value[types.Length];
            for (var c = 0; c < cells.Length; c++) cells[c] = MetricValue.Read(Scalar.Of(row[c]), types[c]);
            rows[r] = Value.Of((ReadOnlyMemory<Value>)cells);
        }
        return Structure(
            ("columns", Value.Of((ReadOnlyMemory<Value>)columns)),
            ("types", Value.Of((ReadOnlyMemory<Value>)Array.ConvertAll(types, t => Value.Of(t.ToString())))),
            ("rows", Value.Of((ReadOnlyMemory<Value>)rows)));
    }

    /// <summary>An instance of a template: its reference, version, <c>parameters</c> and <c>metrics</c> by name.</summary>
    public static Value Of(Template template, ref int room)
    {
        var parameters = new List<KeyValuePair<string, Value>>();
        foreach (var p in template.Parameters) parameters.Add(new(p.Name, MetricValue.Read(Scalar.Of(p), (MetricType)p.Type)));
        var metrics = new List<KeyValuePair<string, Value>>();
        foreach (var m in template.Metrics) metrics.Add(new(m.Name, m.IsNull ? Value.None : MetricValue.Read(m, MetricTypes.Of(m), ref room)));
        return Structure(
            ("template", template.HasTemplateRef ? Value.Of(template.TemplateRef) : Value.None),
            ("version", template.HasVersion ? Value.Of(template.Version) : Value.None),
            ("parameters", Value.Of(Unique(parameters))), ("metrics", Value.Of(Unique(metrics))));
    }

    static Value Structure(params (string Name, Value Value)[] fields)
        => Value.Of(Array.ConvertAll(fields, f => new KeyValuePair<string, Value>(f.Name, f.Value)));

    // Two fields of one name cannot both be told apart in a record: the last one holds, as in JSON.
    static List<KeyValuePair<string, Value>> Unique(List<KeyValuePair<string, Value>> fields)
    {
        var last = new Dictionary<string, Value>(StringComparer.Ordinal);
        foreach (var (name, value) in fields) last[name] = value;
        return last.Count == fields.Count ? fields : [.. last];
    }
}
