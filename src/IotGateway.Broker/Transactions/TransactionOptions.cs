namespace IotGateway.Broker.Transactions;

/// <summary>How transactions behave; each names Kafka's broker configuration it stands for and has its default unless said.</summary>
internal sealed record TransactionOptions
{
    /// <summary><c>transaction.max.timeout.ms</c></summary>
    public TimeSpan MaxTimeout { get; init; } = TimeSpan.FromMinutes(15);
    /// <summary><c>transactional.id.expiration.ms</c></summary>
    public TimeSpan IdExpiration { get; init; } = TimeSpan.FromDays(7);
    /// <summary><c>transaction.remove.expired.transaction.cleanup.interval.ms</c></summary>
    public TimeSpan IdExpirationCheckInterval { get; init; } = TimeSpan.FromHours(1);
    /// <summary><c>transaction.abort.timed.out.transaction.cleanup.interval.ms</c>; Kafka's is 10 s.</summary>
    public TimeSpan TimeoutCheckInterval { get; init; } = TimeSpan.FromSeconds(2);
}
