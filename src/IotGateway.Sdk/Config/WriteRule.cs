using System.ComponentModel.DataAnnotations;

namespace IotGateway.Sdk.Config;

/// <summary>What makes a tag writable, and within which limits. No rule, no write.</summary>
public sealed record WriteRule : IValidatableObject
{
    /// <summary>Smallest value.</summary>
    [Option("Smallest value allowed, in engineering units.", Example = "0")]
    public decimal? Min { get; init; }

    /// <summary>Largest value.</summary>
    [Option("Largest value allowed, in engineering units.", Example = "120")]
    public decimal? Max { get; init; }

    /// <summary>Largest change against the last known value.</summary>
    [Option("Largest change at once against the last known value; without a last value the command is refused.")]
    public decimal? MaxStep { get; init; }

    /// <summary>Most writes in a time.</summary>
    [Option("Most writes in a time, such as 1/s.", Example = "1/s")]
    public Rate? Rate { get; init; }

    /// <summary>How the effect is confirmed.</summary>
    [Option("How the effect is confirmed after the device accepted the write.")]
    public ReadBack? ReadBack { get; init; }

    /// <summary>What becomes of commands while the device is away.</summary>
    [Option("While the device is away: refuse, or wait until the command's deadline with the newest per tag winning.", Advanced = true)]
    public WhenOffline WhenOffline { get; init; } = WhenOffline.Refuse;

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Min > Max) yield return new("The minimum is above the maximum.", [nameof(Min)]);
        if (MaxStep <= 0) yield return new("Must be above 0.", [nameof(MaxStep)]);
    }
}

/// <summary>How the effect of a write is confirmed.</summary>
public sealed record ReadBack
{
    /// <summary>The tag to read; null: the written one.</summary>
    [Option("Tag of the same device that shows the effect; default: the written tag itself.")]
    public string? Tag { get; init; }

    /// <summary>How long to wait for it.</summary>
    [Option("How long to wait until it shows the value.", Example = "2s"), Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan Within { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How far off it may be.</summary>
    [Option("Largest difference that still counts as confirmed.", Example = "0.5")]
    public decimal Tolerance { get; init; }
}

/// <summary>What becomes of a command while its device is away.</summary>
public enum WhenOffline
{
    /// <summary>Refused at once.</summary>
    Refuse,

    /// <summary>Waits until its deadline; the newest per tag wins.</summary>
    Wait,
}
