using System.Globalization;

namespace IotGateway.Sdk.Config;

/// <summary>The notation of durations in configuration: <c>"250ms"</c>, <c>"5s"</c>, <c>"10min"</c>, <c>"2h"</c>, <c>"7d"</c>, <c>"100us"</c>.</summary>
public static class Duration
{
    static readonly (string Suffix, long Ticks)[] Units =
    [
        ("us", TimeSpan.TicksPerMicrosecond), ("ms", TimeSpan.TicksPerMillisecond), ("min", TimeSpan.TicksPerMinute),
        ("s", TimeSpan.TicksPerSecond), ("h", TimeSpan.TicksPerHour), ("d", TimeSpan.TicksPerDay),
    ];

    /// <summary>Reads a duration; false when the text is none, too long, or finer than 100 ns. A bare 0 is allowed, any other bare number is not.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = default;
        if (text == "0") return true;
        var (suffix, ticks) = Units.FirstOrDefault(u => text.EndsWith(u.Suffix, StringComparison.Ordinal));
        if (suffix is null || !decimal.TryParse(text.AsSpan(0, text.Length - suffix.Length), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var n)
            || n > TimeSpan.MaxValue.Ticks / (decimal)ticks || n * ticks % 1 != 0) return false;
        duration = new((long)(n * ticks));
        return true;
    }

    /// <summary>The shortest exact notation.</summary>
    public static string Format(TimeSpan duration)
    {
        if (duration == TimeSpan.Zero) return "0";
        string[] order = ["d", "h", "min", "s", "ms"];
        foreach (var suffix in order)
        {
            var ticks = Units.First(u => u.Suffix == suffix).Ticks;
            if (duration.Ticks % ticks == 0) return (duration.Ticks / ticks).ToString(CultureInfo.InvariantCulture) + suffix;
        }
        return (duration.Ticks / (decimal)TimeSpan.TicksPerMicrosecond).ToString(CultureInfo.InvariantCulture) + "us";
    }
}
