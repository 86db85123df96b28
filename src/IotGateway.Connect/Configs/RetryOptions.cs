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
