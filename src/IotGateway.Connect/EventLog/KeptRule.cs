using System.Text.Json.Serialization;
using IotGateway.Connect.Configs;
using IotGateway.Sdk.Config;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.EventLog;

/// <summary>A rule for topics as the log keeps it: what of it is a topic's setting.</summary>
/// <param name="Match">Topics' names.</param>
/// <param name="Lane">Priority.</param>
/// <param name="Durability">When a record counts as safe.</param>
/// <param name="Compression">How batches are packed.</param>
/// <param name="RetentionMs">Age after which records go.</param>
/// <param name="RetentionBytes">Size at which they go.</param>
sealed record KeptRule(string Match, Lane? Lane, string? Durability, string? Compression, long? RetentionMs, long? RetentionBytes)
{
    /// <summary>The rule, without its partitions: those of a topic do not change by rules.</summary>
    [JsonIgnore]
    public TopicRule Rule => new()
    {
        Match = Match,
        Lane = Lane,
        // Versions before took some that the log did not: no topic ever had them.
        Durability = Durability is { } durability && DurabilityAttribute.InLog(durability) is null ? null : Durability,
        Compression = Compression,
        Retention = new() { Time = RetentionMs is { } time ? TimeSpan.FromMilliseconds(time) : null, Size = RetentionBytes is { } size ? new ByteSize(size) : null },
    };

    public static KeptRule Of(TopicRule rule)
        => new(rule.Match, rule.Lane, rule.Durability, rule.Compression, rule.Retention?.Time is { } time ? (long)time.TotalMilliseconds : null, rule.Retention?.Size?.Bytes);
}
