namespace IotGateway.Log.Records;

/// <summary>What <see cref="BatchCheck"/> found.</summary>
/// <param name="Error">Why the batches are refused; none when they are fine.</param>
readonly record struct BatchVerdict(AppendError Error)
{
    /// <summary>The error in words, where there is more to say than its name.</summary>
    public string? Problem { get; init; }

    /// <summary>The records refused by the topic's rules, or null.</summary>
    public RecordRefusals? Refusals { get; init; }

    /// <summary>Greatest timestamp of the last batch's records, whatever its header says; null when they were not looked at.</summary>
    public long? MaxTimestamp { get; init; }
}
