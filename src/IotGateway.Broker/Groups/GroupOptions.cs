namespace IotGateway.Broker.Groups;

/// <summary>How groups behave; each names Kafka's broker configuration it stands for and has its default unless said.</summary>
internal sealed record GroupOptions
{
    /// <summary><c>group.min.session.timeout.ms</c></summary>
    public TimeSpan MinSessionTimeout { get; init; } = TimeSpan.FromSeconds(6);
    /// <summary><c>group.max.session.timeout.ms</c></summary>
    public TimeSpan MaxSessionTimeout { get; init; } = TimeSpan.FromMinutes(30);
    /// <summary><c>group.initial.rebalance.delay.ms</c>; Kafka's is 3 s, for fleets of consumers that start together. Here one waits for nothing.</summary>
    public TimeSpan InitialRebalanceDelay { get; init; } = TimeSpan.Zero;
    /// <summary><c>group.max.size</c></summary>
    public int MaxSize { get; init; } = int.MaxValue;
    /// <summary><c>offset.metadata.max.bytes</c>; Kafka counts UTF-16 units all the same.</summary>
    public int OffsetMetadataMaxBytes { get; init; } = 4096;
    /// <summary><c>offsets.retention.minutes</c></summary>
    public TimeSpan OffsetsRetention { get; init; } = TimeSpan.FromDays(7);
    /// <summary><c>offsets.retention.check.interval.ms</c></summary>
    public TimeSpan OffsetsRetentionCheckInterval { get; init; } = TimeSpan.FromMinutes(10);
    /// <summary><c>group.consumer.session.timeout.ms</c></summary>
    public TimeSpan ConsumerSessionTimeout { get; init; } = TimeSpan.FromSeconds(45);
    /// <summary><c>group.consumer.heartbeat.interval.ms</c></summary>
    public TimeSpan ConsumerHeartbeatInterval { get; init; } = TimeSpan.FromSeconds(5);
    /// <summary><c>group.consumer.max.size</c></summary>
    public int ConsumerMaxSize { get; init; } = int.MaxValue;
}
