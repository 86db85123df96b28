using System.ComponentModel.DataAnnotations;
using IotGateway.Sdk.Config;

namespace IotGateway.Connect.Configs;

/// <summary>Which time a record gets, and how far a device's clock may be off.</summary>
public sealed record TimeOptions
{
    [Option("Whose clock: source where it gives a time, or always gateway.")]
    public TimeFrom From { get; init; } = TimeFrom.Source;

    [Option("How far the source's clock may be ahead."), Range(typeof(TimeSpan), "00:00:00", "36500.00:00:00")]
    public TimeSpan MaxAhead { get; init; } = TimeSpan.FromSeconds(10);

    [Option("How far the source's clock may be behind."), Range(typeof(TimeSpan), "00:00:00", "36500.00:00:00")]
    public TimeSpan MaxBehind { get; init; } = TimeSpan.FromDays(1);

    [Option("What is used when the source's clock is out of these bounds; its own time is then kept as sourceTime.")]
    public TimeElse Else { get; init; } = TimeElse.Gateway;
}

/// <summary>Whose clock a record's time comes from.</summary>
public enum TimeFrom
{
    /// <summary>The source's, where it gives one.</summary>
    Source,

    /// <summary>Always the gateway's.</summary>
    Gateway,
}

/// <summary>What is used when the source's time is out of bounds.</summary>
public enum TimeElse
{
    /// <summary>The gateway's time.</summary>
    Gateway,
}
