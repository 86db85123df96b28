using IotGateway.Log.Segments;

namespace IotGateway.Log.Space;

/// <summary>
/// From when a segment's age counts: its last append, by this machine's clock, which is its seal time once it is closed. Never its records' times: a
/// device in the year 2000 must not have its segment deleted at once, and one record stamped 2035 must not keep it.
/// </summary>
static class SegmentAge
{
    /// <summary>Only when this machine's own clock was ahead then do the records' times count, if they are earlier (rule 13: the lesser of both).</summary>
    public static long TimeOf(Segment segment, long now)
        => segment.LastAppend <= now || segment.MaxTimestamp < 0 ? segment.LastAppend : Math.Min(segment.MaxTimestamp, segment.LastAppend);
}
