using System.ComponentModel.DataAnnotations;
using IotGateway.Sdk.Config;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Configs;

/// <summary>Settings of the topics a pattern matches.</summary>
public sealed record TopicRule
{
    [Option("Topic name; * stands for any text.", Example = "alarms.*"), RegularExpression(@"^[a-zA-Z0-9._*-]{1,249}$", ErrorMessage = "Allowed are letters, digits, '.', '_', '-' and the wildcard '*'.")]
    public required string Match { get; init; }

    [Option("Priority: dropped last and forwarded first when high.")]
    public Lane? Lane { get; init; }

    [Option("Partitions when the topic is made."), Range(1, 1_000)]
    public int? Partitions { get; init; }

    [Option("fsync, interval:TIME (1ms to 1h) or os; default: the log's."), Durability]
    public string? Durability { get; init; }

    [Option("How its records are packed on disk and sent to consumers: zstd, gzip, lz4, snappy, uncompressed, or producer (as who wrote them did; connectors do not). JSON readings shrink about ten times with zstd.", Example = "zstd"), RegularExpression("^(zstd|gzip|lz4|snappy|uncompressed|producer)$", ErrorMessage = "Allowed are zstd, gzip, lz4, snappy, uncompressed and producer.")]
    public string? Compression { get; init; }

    [Option("How long its records are kept, its size being that of the topic; default: the log's.")]
    public RetentionConfig? Retention { get; init; }
}
