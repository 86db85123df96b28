namespace IotGateway.Broker.Tests.Server;

/// <summary>The system's time on a machine whose clock can be set: time passes and timers run as ever.</summary>
sealed class SetClock : TimeProvider
{
    TimeSpan _by;

    /// <summary>Sets the clock this far from the right time.</summary>
    public void Set(TimeSpan by) => _by = by;

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + _by;
}
