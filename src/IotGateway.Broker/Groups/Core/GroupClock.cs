namespace IotGateway.Broker.Groups.Core;

/// <summary>Two times in milliseconds: a monotonic one for deadlines, the wall's for what is kept. Thread-safe.</summary>
internal sealed class GroupClock(TimeProvider time)
{
    readonly long start = time.GetTimestamp();

    /// <summary>Since the clock was made; never goes back.</summary>
    public long Now => (long)time.GetElapsedTime(start).TotalMilliseconds;

    /// <summary>Unix time.</summary>
    public long Wall => time.GetUtcNow().ToUnixTimeMilliseconds();
}
