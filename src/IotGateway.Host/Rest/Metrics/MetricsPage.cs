using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace IotGateway.Host.Rest.Metrics;

/// <summary>
/// Every figure of one gateway's meters, and the process's own, as the text a Prometheus server scrapes (exposition format 0.0.4).
/// Listens from its making on; one look at a time. Thread-safe.
/// </summary>
sealed class MetricsPage : IDisposable
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";
    readonly MeterListener _listener = new();
    readonly ConcurrentDictionary<string, Family> _families = new(StringComparer.Ordinal);
    readonly Lock _lock = new();

    /// <param name="meters">The factory the gateway's meters come from. Plugins have no factory: theirs are known by their name. Others in the process are not looked at.</param>
    public MetricsPage(IMeterFactory meters)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (!ReferenceEquals(instrument.Meter.Scope, meters) && !IsOfPlugin(instrument.Meter)) return;
            var family = new Family(instrument);
            if (_families.TryAdd(family.Name, family)) listener.EnableMeasurementEvents(instrument, family);
        };
        _listener.SetMeasurementEventCallback<long>(static (_, value, tags, family) => ((Family)family!).Record(value, tags));
        _listener.SetMeasurementEventCallback<int>(static (_, value, tags, family) => ((Family)family!).Record(value, tags));
        _listener.SetMeasurementEventCallback<double>(static (_, value, tags, family) => ((Family)family!).Record(value, tags));
        _listener.Start();
    }

    static bool IsOfPlugin(Meter meter) => meter.Scope is null && meter.Name.StartsWith("IotGateway.Connectors.", StringComparison.Ordinal);

    /// <summary>The page as of now.</summary>
    public string Render()
    {
        var text = new StringBuilder(4096);
        lock (_lock)
        {
            foreach (var family in _families.Values) family.Reset();
            _listener.RecordObservableInstruments();
            foreach (var (_, family) in _families.OrderBy(f => f.Key, StringComparer.Ordinal)) family.Write(text);
        }
        using var process = Process.GetCurrentProcess();
        One(text, "process_cpu_seconds_total", "counter", "Processor time used.", Environment.CpuUsage.TotalTime.TotalSeconds);
        One(text, "process_resident_memory_bytes", "gauge", "Memory held.", Environment.WorkingSet);
        One(text, "process_start_time_seconds", "gauge", "When it started, since 1970.", (process.StartTime.ToUniversalTime() - DateTime.UnixEpoch).TotalSeconds);
        return text.ToString();
    }

    public void Dispose() => _listener.Dispose();

    static void One(StringBuilder to, string name, string type, string help, double value)
        => to.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n{name} {value}\n");
}
