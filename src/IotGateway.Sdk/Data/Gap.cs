namespace IotGateway.Sdk.Data;

/// <summary>A stretch of time that could not be captured. One per device and cause.</summary>
public sealed record Gap
{
    /// <summary>The device, or null for the whole connector.</summary>
    public string? Device { get; init; }

    /// <summary>The tags concerned; null for all of the device.</summary>
    public IReadOnlyList<string>? Tags { get; init; }

    /// <summary>From: the last thing captured before, UTC.</summary>
    public required DateTime From { get; init; }

    /// <summary>To: the first thing captured after, UTC; null while it lasts.</summary>
    public DateTime? To { get; init; }

    /// <summary>Why, as a short stable word: <c>device-unreachable</c>, <c>overflow</c>, <c>sequence-gap</c>.</summary>
    public required string Reason { get; init; }

    /// <summary>How many values were lost, where that is known.</summary>
    public long? Lost { get; init; }
}
