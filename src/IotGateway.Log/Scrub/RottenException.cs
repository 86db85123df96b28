using IotGateway.Log.Segments;

namespace IotGateway.Log.Scrub;

/// <summary>A read has met something in a segment that was never written there, or that the disk does not give back.</summary>
sealed class RottenException(Segment segment, string problem, Exception? cause = null)
    : LogSpoiltException($"'{segment.LogPath}' {problem} Run 'gateway log verify'.", cause)
{
    public Segment Segment { get; } = segment;

    /// <summary>The damage that was known then.</summary>
    public Damage? Known { get; } = segment.Damage;
}
