using System.Globalization;

namespace IotGateway.Sdk.Config;

/// <summary>How often something may happen, written <c>"1/s"</c>, <c>"10/min"</c>, <c>"3/h"</c>.</summary>
/// <param name="Count">Times; at least 1.</param>
/// <param name="Per">Within this time.</param>
public readonly record struct Rate(int Count, TimeSpan Per)
{
    /// <summary>Reads a rate; false when the text is none.</summary>
    public static bool TryParse(string text, out Rate rate)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        rate = default;
        if (slash <= 0 || !int.TryParse(text.AsSpan(0, slash), NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count < 1) return false;
        var per = text[(slash + 1)..];
        if (!Duration.TryParse(char.IsAsciiDigit(per.FirstOrDefault()) ? per : "1" + per, out var time) || time <= TimeSpan.Zero) return false;
        rate = new(count, time);
        return true;
    }

    /// <summary>As written.</summary>
    public override string ToString()
    {
        // One unit is written without its number: "1/s", but "1/10s".
        var per = Duration.Format(Per);
        if (per is ['1', not (>= '0' and <= '9' or '.'), ..]) per = per[1..];
        return string.Create(CultureInfo.InvariantCulture, $"{Count}/{per}");
    }
}
