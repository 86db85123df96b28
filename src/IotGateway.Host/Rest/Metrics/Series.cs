using System.Globalization;
using System.Text;

namespace IotGateway.Host.Rest.Metrics;

/// <summary>The figures of one instrument under one set of labels: a sum, a last value, or a histogram. Thread-safe.</summary>
sealed class Series(string labels, double[]? bounds)
{
    readonly Lock _lock = new();
    readonly long[] _counts = bounds is null ? [] : new long[bounds.Length + 1];
    double _value;

    /// <summary>Adds to a sum, or takes the measurement into the histogram.</summary>
    public void Add(double measurement)
    {
        lock (_lock)
        {
            _value += measurement;
            if (bounds is null) return;
            var bucket = 0;
            while (bucket < bounds.Length && measurement > bounds[bucket]) bucket++;
            _counts[bucket]++;
        }
    }

    /// <summary>Replaces the value.</summary>
    public void Set(double measurement)
    {
        lock (_lock) _value = measurement;
    }

    /// <summary>Writes its lines.</summary>
    public void Write(StringBuilder to, string name)
    {
        lock (_lock)
        {
            if (bounds is null)
            {
                Line(to, name, "", labels, Text(_value));
                return;
            }
            long below = 0;
            for (var i = 0; i <= bounds.Length; i++)
            {
                below += _counts[i];
                var limit = $"le=\"{(i < bounds.Length ? Text(bounds[i]) : "+Inf")}\"";
                Line(to, name, "_bucket", labels.Length == 0 ? limit : labels + "," + limit, Text(below));
            }
            Line(to, name, "_sum", labels, Text(_value));
            Line(to, name, "_count", labels, Text(below));
        }
    }

    static void Line(StringBuilder to, string name, string suffix, string labels, string value)
    {
        to.Append(name).Append(suffix);
        if (labels.Length > 0) to.Append('{').Append(labels).Append('}');
        to.Append(' ').Append(value).Append('\n');
    }

    static string Text(double value) => double.IsPositiveInfinity(value) ? "+Inf" : double.IsNegativeInfinity(value) ? "-Inf" : value.ToString("R", CultureInfo.InvariantCulture);
}
