namespace IotGateway.Broker.Tests.Server;

/// <summary>Time that stands still until told.</summary>
sealed class ManualClock : TimeProvider
{
    readonly DateTimeOffset _began = System.GetUtcNow();
    long _now = 1;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _now;

    public override DateTimeOffset GetUtcNow() => _began.AddTicks(_now);

    public void Advance(TimeSpan by) => _now += by.Ticks;
}
