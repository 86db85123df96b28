using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace IotGateway.Connectors.Sparkplug;

/// <summary>
/// Figures of the connectors of this plugin beside those the runtime keeps: meter "IotGateway.Connectors.Sparkplug", tag connector.
/// Thread-safe. A connector between two instances shows as not connected until it is removed.
/// </summary>
sealed class SparkplugMetrics
{
    public const string MeterName = "IotGateway.Connectors.Sparkplug";

    /// <summary>The one of this plugin: a listener takes each instrument once.</summary>
    public static SparkplugMetrics Instance { get; } = new();

    readonly ConcurrentDictionary<string, Func<SparkplugFigures>> _live = new();
    readonly Counter<long> _gaps, _rebirths, _dropped, _lost;

    SparkplugMetrics()
    {
        var meter = new Meter(MeterName);
        _gaps = meter.CreateCounter<long>("gaps", "{gap}", "Times messages of an edge node were found missing, or came before its birth.");
        _lost = meter.CreateCounter<long>("lost", "{message}", "Messages found missing, or of no use without a birth.");
        _rebirths = meter.CreateCounter<long>("rebirths", "{request}", "Rebirth requests sent.");
        _dropped = meter.CreateCounter<long>("dropped", "{message}", "Messages dropped for want of room while the log did not take data.");
        Gauge("connected", f => f.Connected ? 1 : 0, "1 while there is a connection to a broker.");
        Gauge("host_online", f => f.HostOnline ? 1 : 0, "1 while the STATE message says that this host is online.");
        Gauge("edges_online", f => f.EdgesOnline, "Edge nodes that are born and not dead.");
        Gauge("edges_offline", f => f.EdgesOffline, "Edge nodes known that are not.");

        void Gauge(string name, Func<SparkplugFigures, long> value, string description)
            => meter.CreateObservableGauge(name, () => _live.Select(l => new Measurement<long>(value(l.Value()), Tag(l.Key))), null, description);
    }

    /// <summary>Shows an instance until the next one of the same connector.</summary>
    public void Show(string connector, Func<SparkplugFigures> figures) => _live[connector] = figures;

    /// <summary>The instance is gone. Nothing when another has taken its place.</summary>
    public void Hide(string connector, Func<SparkplugFigures> figures) => _live.TryUpdate(connector, static () => default, figures);

    /// <summary>The connector was removed.</summary>
    public void Forget(string connector) => _live.TryRemove(connector, out _);

    public void Gap(string connector, long messages)
    {
        Add(_gaps, connector, 1);
        Add(_lost, connector, messages);
    }

    public void Lost(string connector, long messages) => Add(_lost, connector, messages);

    public void Rebirth(string connector) => Add(_rebirths, connector, 1);

    public void Dropped(string connector) => Add(_dropped, connector, 1);

    static void Add(Counter<long> counter, string connector, long number)
    {
        if (number > 0 && counter.Enabled) counter.Add(number, Tag(connector));
    }

    static KeyValuePair<string, object?> Tag(string connector) => new("connector", connector);
}

/// <summary>How an instance is.</summary>
readonly record struct SparkplugFigures(bool Connected, bool HostOnline, int EdgesOnline, int EdgesOffline);
