using System.Collections.Concurrent;
using IotGateway.Connectors.Mqtt.Client;

namespace IotGateway.Connectors.Mqtt;

/// <summary>
/// What outlives instances, which are made anew after every fault, but not the process: when another client took a session
/// (restarting the gateway is an operator's way to try at once), and which filters were reported as failing,
/// and where brokers have moved to. Thread-safe.
/// </summary>
sealed class InstanceMemory
{
    readonly ConcurrentDictionary<string, long> _takenOver = new();
    readonly ConcurrentDictionary<(string Connector, string Filter), bool> _failing = new();

    readonly ConcurrentDictionary<string, (MqttAddress To, bool Moved)> _redirects = new();

    /// <summary>A broker sent us elsewhere: for once, or for good.</summary>
    public void NoteRedirect(MqttAddress from, MqttAddress to, bool moved) => _redirects[from.ToString()] = (to, moved);

    /// <summary>Where to go instead of an address of the configuration; null when it holds. What was for once is forgotten.</summary>
    public MqttAddress? Redirect(MqttAddress from)
    {
        if (!_redirects.TryGetValue(from.ToString(), out var redirect)) return null;
        if (!redirect.Moved) _redirects.TryRemove(from.ToString(), out _);
        return redirect.To;
    }

    /// <summary>It is not there: the configuration's own address holds again.</summary>
    public void ForgetRedirect(MqttAddress from) => _redirects.TryRemove(from.ToString(), out _);

    public void NoteTakeover(string clientId, TimeProvider time) => _takenOver[clientId] = time.GetTimestamp();

    /// <summary>How long still to stay away.</summary>
    public TimeSpan StayAway(string clientId, TimeSpan wait, TimeProvider time)
        => _takenOver.TryGetValue(clientId, out var when) && wait - time.GetElapsedTime(when) is { Ticks: > 0 } left ? left : TimeSpan.Zero;

    /// <summary>Notes how a filter does; true when that is worth a report: it fails, or does so no more.</summary>
    public bool NoteFilter(string connector, string filter, bool failing)
        => failing ? _failing[(connector, filter)] = true : _failing.TryRemove((connector, filter), out _);
}
