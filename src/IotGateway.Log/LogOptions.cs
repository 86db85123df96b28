namespace IotGateway.Log;

/// <summary>How the log is kept.</summary>
public sealed record LogOptions
{
    /// <summary>Data directory; made when missing.</summary>
    public required string Directory { get; init; }

    /// <summary>Total size of the write-ahead log's files, bytes.</summary>
    public long WalBytes { get; init; } = 256L << 20;

    /// <summary>Defaults for topics that do not say otherwise.</summary>
    public TopicConfig TopicDefaults { get; init; } = new();

    /// <summary>Bytes kept free for outcomes, gaps and offsets when the disk is full.</summary>
    public long ReserveBytes { get; init; } = 64L << 20;

    /// <summary>Most bytes of all topics together, the write-ahead log apart; null: as much as the disk has.</summary>
    public long? BudgetBytes { get; init; }

    /// <summary>Whether nothing may be deleted before <see cref="LogStore.Pins"/> is set: what a sink still needs is known only then.</summary>
    public bool AwaitsPins { get; init; }

    /// <summary>Pause between two looks for what is to be compacted (Kafka's log.cleaner.backoff.ms).</summary>
    public TimeSpan CompactEvery { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Pause between two looks for what retention no longer covers (Kafka's log.retention.check.interval.ms).</summary>
    public TimeSpan RetainEvery { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long the background check takes to read the whole log once; null: none.</summary>
    public TimeSpan? ScrubEvery { get; init; } = TimeSpan.FromDays(7);
}
