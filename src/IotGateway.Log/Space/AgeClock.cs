using IotGateway.Log.Segments;
using Microsoft.Extensions.Logging;

namespace IotGateway.Log.Space;

/// <summary>
/// Keeps a jump of the machine's clock from making segments old: nothing is deleted because of a clock alone. While the log runs, the time that passes
/// is that of the monotonic clock: when the machine's clock has gone otherwise, the segments' times go with it. Over a stop nothing but the machine's clock
/// tells how long it was; of that at most a day counts. Times that lie ahead become now. What it changes is on disk with the next checkpoint; before, the next
/// start finds the same. Thread-safe.
/// </summary>
sealed partial class AgeClock(TimeProvider time, ILogger logger)
{
    /// <summary>Less is what clocks that are kept right do.</summary>
    static readonly TimeSpan LeastJump = TimeSpan.FromMinutes(1);

    /// <summary>What a stop counts at most: nothing was delivered meanwhile.</summary>
    static readonly TimeSpan MostStopped = TimeSpan.FromDays(1);

    /// <summary>How long after a jump appends from before it may still reach their segments.</summary>
    static readonly TimeSpan InFlight = TimeSpan.FromSeconds(30);

    readonly Lock _lock = new();
    (long Wall, long By, long Ticks)? _jump;
    long _wall, _ticks;

    /// <summary>After a start, before any age is asked for.</summary>
    /// <param name="newest">The newest append there is, ms.</param>
    /// <param name="segments">All of the log's; asked for only when they are moved.</param>
    public void Begin(long newest, IEnumerable<Segment> segments)
    {
        lock (_lock)
        {
            var now = Mark();
            if (newest == long.MinValue) return;
            var excess = now - newest - (long)MostStopped.TotalMilliseconds;
            if (excess > 0 || newest > now) Move(segments, Math.Max(excess, 0), now);
        }
    }

    /// <summary>Looks whether the clock has jumped; to be called before ages decide anything. Whether it has.</summary>
    /// <param name="segments">All of the log's.</param>
    /// <param name="now">The time, ms, their times now fit to.</param>
    public bool Follow(IEnumerable<Segment> segments, out long now)
    {
        lock (_lock)
        {
            var (wall, ticks) = (_wall, _ticks);
            now = Mark();
            var jump = now - wall - (long)time.GetElapsedTime(ticks, _ticks).TotalMilliseconds;
            if (Math.Abs(jump) < LeastJump.TotalMilliseconds)
            {
                if (_jump is { } before && time.GetElapsedTime(before.Ticks, _ticks) < InFlight) MoveLate(segments, before.Wall, before.By, now);
                else _jump = null;
                return false;
            }
            Move(segments, Math.Max(jump, 0), now);
            _jump = (now - jump, Math.Max(jump, 0), _ticks);
            Log.Jumped(logger, TimeSpan.FromMilliseconds(jump));
            return true;
        }
    }

    long Mark()
    {
        (_wall, _ticks) = (time.GetUtcNow().ToUnixTimeMilliseconds(), time.GetTimestamp());
        return _wall;
    }

    // What was appended since the jump has the new time already, and is not moved into the future.
    static void Move(IEnumerable<Segment> segments, long by, long now)
    {
        foreach (var segment in segments)
        {
            segment.LastAppend = Math.Min(segment.LastAppend + by, now);
            segment.Created = Math.Min(segment.Created + by, now);
        }
    }

    // What was under way to the segments at the jump brings the time from before it.
    static void MoveLate(IEnumerable<Segment> segments, long wall, long by, long now)
    {
        var around = (long)InFlight.TotalMilliseconds;
        foreach (var segment in segments)
        {
            if (segment.LastAppend > now || Math.Abs(segment.LastAppend - wall) <= around) segment.LastAppend = Math.Min(segment.LastAppend + by, now);
            if (segment.Created > now || Math.Abs(segment.Created - wall) <= around) segment.Created = Math.Min(segment.Created + by, now);
        }
    }

    static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "This machine's clock has jumped by {Jump}. The log counts the ages of what it keeps without the jump.")]
        public static partial void Jumped(ILogger logger, TimeSpan jump);
    }
}
