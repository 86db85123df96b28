using System.ComponentModel.DataAnnotations;
using System.Globalization;
using IotGateway.Sdk.Config;

namespace IotGateway.Connect.Configs;

/// <summary>When a record counts as safe: <c>fsync</c>, <c>os</c> or <c>interval:TIME</c>, the time being whole milliseconds from 1 ms to 1 h in the notation of all durations.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class DurabilityAttribute() : RegularExpressionAttribute(@"^(fsync|os|interval:[0-9]+(\.[0-9]+)?(us|ms|s|min|h|d))$")
{
    const string Interval = "interval:";
    static readonly TimeSpan Least = TimeSpan.FromMilliseconds(1), Most = TimeSpan.FromHours(1); // those of iotgateway.durability

    public override bool IsValid(object? value) => base.IsValid(value) && (value is not string text || InLog(text) is not null);

    public override string FormatErrorMessage(string name) => "Must be fsync, os, or interval:TIME with whole milliseconds from 1ms to 1h, such as interval:100ms.";

    /// <summary>In the words of <c>iotgateway.durability</c>, whose units are others: the interval in milliseconds. Null when it is not allowed.</summary>
    public static string? InLog(string text)
    {
        if (text is "fsync" or "os") return text;
        if (!text.StartsWith(Interval, StringComparison.Ordinal) || !Duration.TryParse(text[Interval.Length..], out var time)) return null;
        if (time < Least || time > Most || time.Ticks % TimeSpan.TicksPerMillisecond != 0) return null;
        return string.Create(CultureInfo.InvariantCulture, $"{Interval}{time.Ticks / TimeSpan.TicksPerMillisecond}ms");
    }
}
