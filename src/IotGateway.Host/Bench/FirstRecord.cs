using Confluent.Kafka;

namespace IotGateway.Host.Bench;

/// <summary>From exec to the first record acknowledged and read back, by an ordinary client that keeps knocking.</summary>
static class FirstRecord
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Starts a broker and takes the time.</summary>
    /// <exception cref="TimeoutException">The record was not read back.</exception>
    public static Task<double> TimeAsync(string bootstrap, Func<Task> start, CancellationToken ct) => Task.Run(async () =>
    {
        var started = TimeProvider.System.GetTimestamp();
        await start().ConfigureAwait(false);
        var knocking = new ClientConfig { BootstrapServers = bootstrap, ReconnectBackoffMs = 10, ReconnectBackoffMaxMs = 20 };
        using var producer = new ProducerBuilder<Null, string>(new ProducerConfig(knocking) { LingerMs = 0, RetryBackoffMs = 10 }).SetLogHandler(static (_, _) => { }).Build();
        var place = await producer.ProduceAsync("first", new Message<Null, string> { Value = "first" }, ct).ConfigureAwait(false);
        using var consumer = new ConsumerBuilder<Ignore, string>(new ConsumerConfig(knocking) { GroupId = "bench" }).SetLogHandler(static (_, _) => { }).Build();
        consumer.Assign(place.TopicPartitionOffset);
        if (consumer.Consume(Patience)?.Message.Value != "first") throw new TimeoutException("The record was not read back.");
        return TimeProvider.System.GetElapsedTime(started).TotalSeconds;
    }, CancellationToken.None);
}
