using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using System.Text;

namespace IotGateway.Host.Rest.Metrics;

/// <summary>
/// One instrument as a metric family. Its series are bounded: what comes beyond is counted together under <c>overflow="true"</c>, so that
/// labels from data cannot fill the memory. Thread-safe; a known series costs no allocation.
/// </summary>
sealed class Family
{
    /// <summary>Most sets of labels of one instrument.</summary>
    public const int MaxSeries = 2_000;

    static readonly double[] Seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
    readonly ConcurrentDictionary<string, Series> _series = new(StringComparer.Ordinal);
    readonly ConcurrentDictionary<string, Series>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    readonly Series _overflow;
    readonly double[]? _bounds;
    readonly string _help, _type;
    readonly bool _replaces, _observed;
    bool _overflown;

    public Family(Instrument instrument)
    {
        var kind = instrument.GetType().GetGenericTypeDefinition();
        _type = kind == typeof(Counter<>) || kind == typeof(ObservableCounter<>) ? "counter" : kind == typeof(Histogram<>) ? "histogram" : "gauge";
        _observed = instrument.IsObservable;
        _replaces = _observed || kind == typeof(Gauge<>);
        _bounds = _type == "histogram" ? Seconds : null;
        _help = (instrument.Description ?? "").Replace("\\", @"\\", StringComparison.Ordinal).Replace("\n", @"\n", StringComparison.Ordinal);
        _lookup = _series.GetAlternateLookup<ReadOnlySpan<char>>();
        _overflow = new("overflow=\"true\"", _bounds);
        Name = NameOf(instrument, _type);
    }

    public string Name { get; }

    /// <summary>Takes a measurement.</summary>
    public void Record(double measurement, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = new DefaultInterpolatedStringHandler(0, 0, null, stackalloc char[256]);
        foreach (var (key, value) in tags)
        {
            if (labels.Text.Length > 0) labels.AppendLiteral(",");
            labels.AppendLiteral(Legal(key));
            labels.AppendLiteral("=\"");
            labels.AppendLiteral(Escaped(value as string ?? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{value}")));
            labels.AppendLiteral("\"");
        }
        var series = Find(labels.Text);
        labels.Clear();
        if (_replaces) series.Set(measurement);
        else series.Add(measurement);
    }

    /// <summary>Before observing anew: what is there no more must not stand.</summary>
    public void Reset()
    {
        if (_observed) _series.Clear();
    }

    /// <summary>Writes help, type and all series; nothing while there are none.</summary>
    public void Write(StringBuilder to)
    {
        if (_series.IsEmpty) return;
        to.Append("# HELP ").Append(Name).Append(' ').Append(_help).Append('\n');
        to.Append("# TYPE ").Append(Name).Append(' ').Append(_type).Append('\n');
        foreach (var (_, series) in _series.OrderBy(s => s.Key, StringComparer.Ordinal)) series.Write(to, Name);
        if (Volatile.Read(ref _overflown)) _overflow.Write(to, Name);
    }

    Series Find(ReadOnlySpan<char> labels)
    {
        if (_lookup.TryGetValue(labels, out var known)) return known;
        if (_series.Count < MaxSeries) return _series.GetOrAdd(labels.ToString(), static (text, bounds) => new(text, bounds), _bounds);
        Volatile.Write(ref _overflown, true);
        return _overflow;
    }

    // Prometheus' naming: the meter first, the unit in the name, counters end in _total.
    static string NameOf(Instrument instrument, string type)
    {
        var full = instrument.Name.StartsWith("iotgateway", StringComparison.OrdinalIgnoreCase) ? instrument.Name : instrument.Meter.Name + "." + instrument.Name;
        var name = Legal(full.ToLowerInvariant());
        var unit = instrument.Unit switch { "s" => "_seconds", "By" => "_bytes", _ => "" };
        if (!name.EndsWith(unit, StringComparison.Ordinal)) name += unit;
        return type == "counter" ? name + "_total" : name;
    }

    static string Legal(string name) => name.All(char.IsAsciiLetterOrDigit) ? name : string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));

    static string Escaped(string text) => text.AsSpan().IndexOfAny('\\', '"', '\n') < 0 ? text
        : text.Replace("\\", @"\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", @"\n", StringComparison.Ordinal);
}
