using System.ComponentModel.DataAnnotations;
using IotGateway.Sdk.Config;

namespace IotGateway.Connect.Configs;

/// <summary>Pauses between attempts; doubled each time up to the longest, with jitter.</summary>
public sealed record RetryOptions : IValidatableObject
{
    [Option("Pause after the first failure."), Range(typeof(TimeSpan), "00:00:00.010", "1.00:00:00")]
    public TimeSpan Initial { get; init; } = TimeSpan.FromSeconds(1);

    [Option("Longest pause."), Range(typeof(TimeSpan), "00:00:00.010", "1.00:00:00")]
    public TimeSpan Max { get; init; } = TimeSpan.FromSeconds(30);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Initial > Max) yield return new("The first pause is longer than the longest.", [nameof(Initial)]);
    }
}

/// <summary>Limits of one connector.</summary>
public sealed record LimitOptions
{
    [Option("Most tags it may have; beyond it new tags are refused and counted."), Range(1, 10_000_000)]
    public int Tags { get; init; } = 100_000;
}

/// <summary>How a sink's records are collected.</summary>
public sealed record BatchOptions
{
    [Option("Most records at once."), Range(1, 1_000_000)]
    public int MaxRecords { get; init; } = 5_000;

    [Option("Most bytes at once.")]
    public ByteSize MaxBytes { get; init; } = new(4L << 20);

    [Option("How long to wait for more once there is something."), Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan Linger { get; init; }
}
