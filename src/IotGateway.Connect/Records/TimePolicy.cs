using IotGateway.Connect.Configs;

namespace IotGateway.Connect.Records;

/// <summary>Decides which time a record gets. Pure.</summary>
static class TimePolicy
{
    /// <summary>The time chosen, and whether the source's clock was out of bounds (its own time is then to be kept beside).</summary>
    /// <param name="options">The connector's rule.</param>
    /// <param name="source">The source's time, UTC; <see cref="DateTime.MinValue"/> for none.</param>
    /// <param name="gateway">When the gateway received it, UTC.</param>
    /// <param name="backfill">History: behind without limit.</param>
    public static (DateTime Time, bool ClockOff) Choose(TimeOptions options, DateTime source, DateTime gateway, bool backfill)
    {
        if (options.From == TimeFrom.Gateway || source == DateTime.MinValue) return (gateway, false);
        var ahead = source - gateway;
        return ahead > options.MaxAhead || !backfill && -ahead > options.MaxBehind ? (gateway, true) : (source, false);
    }
}
