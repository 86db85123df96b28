namespace IotGateway.Log;

/// <summary>
/// A topic's configuration: Kafka's names and texts as set (<see cref="Settings"/>), and what the log makes of them. Our own:
/// <c>iotgateway.durability</c> (<c>fsync | interval:TIME | os</c>) and <c>iotgateway.lane</c> (<c>low | normal | high</c>).
/// </summary>
public sealed record TopicConfig
{
    /// <summary>What was set, by name.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();
}
