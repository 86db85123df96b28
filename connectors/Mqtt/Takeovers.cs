using System.Collections.Concurrent;

namespace IotGateway.Connectors.Mqtt;

/// <summary>
/// When another client took a connector's session. It outlives the instances, which are made anew after every fault, but not the
/// process: restarting the gateway is an operator's way to try at once. Thread-safe.
/// </summary>
sealed class Takeovers
{
    readonly ConcurrentDictionary<string, long> _when = new();

    public void Note(string connector, TimeProvider time) => _when[connector] = time.GetTimestamp();

    /// <summary>How long still to stay away.</summary>
    public TimeSpan Left(string connector, TimeSpan wait, TimeProvider time)
        => _when.TryGetValue(connector, out var when) && wait - time.GetElapsedTime(when) is { Ticks: > 0 } left ? left : TimeSpan.Zero;
}
