using IotGateway.Log;

namespace IotGateway.Broker.Groups.Core;

/// <summary>Two times in milliseconds: one for deadlines, and one that goes on over restarts for what is kept. Neither follows a clock that is set. Thread-safe.</summary>
internal sealed class GroupClock(LogClock steady, TimeProvider time)
{
    readonly long start = time.GetTimestamp();

    /// <summary>Since the clock was made; never goes back.</summary>
    public long Now => (long)time.GetElapsedTime(start).TotalMilliseconds;

    /// <summary>What is kept is dated by this.</summary>
    public long Kept => steady.Now;
}
