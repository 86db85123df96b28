using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace IotGateway.Connectors.Mqtt;

/// <summary>
/// Figures of the connectors of this plugin beside those the runtime keeps: meter "IotGateway.Connectors.Mqtt", tags connector and task.
/// Thread-safe. A connector between two instances shows as not connected until it is removed.
/// </summary>
sealed class MqttMetrics
{
    public const string MeterName = "IotGateway.Connectors.Mqtt";

    /// <summary>The one of this plugin: a listener takes each instrument once.</summary>
    public static MqttMetrics Instance { get; } = new();

    readonly ConcurrentDictionary<(string Connector, int Task), Func<(bool Connected, long InFlight)>> _live = new();
    readonly Counter<long> _redelivered, _duplicates, _dropped;

    MqttMetrics()
    {
        var meter = new Meter(MeterName);
        _redelivered = meter.CreateCounter<long>("redelivered", "{message}", "QoS 1 and 2 messages that came again and were not stored again.");
        _duplicates = meter.CreateCounter<long>("duplicates.possible", "{message}", "Messages marked DUP that were stored because nothing shows they were before.");
        _dropped = meter.CreateCounter<long>("dropped", "{message}", "QoS 0 messages dropped for want of room.");
        meter.CreateObservableGauge("connected", () => _live.Select(l => new Measurement<long>(l.Value().Connected ? 1 : 0, Tags(l.Key))), null, "1 while there is a connection to a broker.");
        meter.CreateObservableGauge("in_flight", () => _live.Select(l => new Measurement<long>(l.Value().InFlight, Tags(l.Key))), "{message}", "QoS 1 and 2 messages received and not acknowledged, or sent and not acknowledged.");
    }

    /// <summary>Shows an instance until the next one of the same task.</summary>
    public void Show(string connector, int task, Func<(bool Connected, long InFlight)> figures) => _live[(connector, task)] = figures;

    /// <summary>The instance is gone; its task shows as not connected. Nothing when another has taken its place.</summary>
    public void Hide(string connector, int task, Func<(bool Connected, long InFlight)> figures) => _live.TryUpdate((connector, task), static () => default, figures);

    /// <summary>The connector was removed.</summary>
    public void Forget(string connector, int task) => _live.TryRemove((connector, task), out _);

    public void Redelivered(string connector, int task, long messages) => Add(_redelivered, connector, task, messages);

    public void Duplicates(string connector, int task, long messages) => Add(_duplicates, connector, task, messages);

    public void Dropped(string connector, int task) => Add(_dropped, connector, task, 1);

    static void Add(Counter<long> counter, string connector, int task, long messages)
    {
        if (messages > 0 && counter.Enabled) counter.Add(messages, Tags((connector, task)));
    }

    static KeyValuePair<string, object?>[] Tags((string Connector, int Task) of) => [new("connector", of.Connector), new("task", of.Task)];
}
