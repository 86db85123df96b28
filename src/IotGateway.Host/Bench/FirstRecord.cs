using System.Net;
using System.Net.Sockets;
using Confluent.Kafka;

namespace IotGateway.Host.Bench;

/// <summary>
/// From exec to the first record acknowledged and read back, by an ordinary client that begins once the port answers: one that knocked by itself would double its
/// pauses (librdkafka 2.15 after a refusal: to 0.36 s and more), which would be most of what is measured.
/// </summary>
static class FirstRecord
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60), Pause = TimeSpan.FromMilliseconds(2);

    /// <summary>Starts a broker and takes the time.</summary>
    /// <exception cref="TimeoutException">The record was not read back.</exception>
    /// <exception cref="SocketException">The port did not answer for a minute.</exception>
    public static Task<double> TimeAsync(string bootstrap, Func<Task> start, CancellationToken ct) => Task.Run(async () =>
    {
        var started = TimeProvider.System.GetTimestamp();
        await start().ConfigureAwait(false);
        await AnswersAsync(IPEndPoint.Parse(bootstrap), ct).ConfigureAwait(false);
        var knocking = new ClientConfig { BootstrapServers = bootstrap, ReconnectBackoffMs = 10, ReconnectBackoffMaxMs = 20 };
        using var producer = new ProducerBuilder<Null, string>(new ProducerConfig(knocking) { LingerMs = 0, RetryBackoffMs = 10 }).SetLogHandler(static (_, _) => { }).Build();
        var place = await producer.ProduceAsync("first", new Message<Null, string> { Value = "first" }, ct).ConfigureAwait(false);
        using var consumer = new ConsumerBuilder<Ignore, string>(new ConsumerConfig(knocking) { GroupId = "bench" }).SetLogHandler(static (_, _) => { }).Build();
        consumer.Assign(place.TopicPartitionOffset);
        if (consumer.Consume(Patience)?.Message.Value != "first") throw new TimeoutException("The record was not read back.");
        return TimeProvider.System.GetElapsedTime(started).TotalSeconds;
    }, CancellationToken.None);

    static async Task AnswersAsync(IPEndPoint broker, CancellationToken ct)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(broker, ct).ConfigureAwait(false);
                return;
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused && TimeProvider.System.GetElapsedTime(started) < Patience)
            {
                await Task.Delay(Pause, TimeProvider.System, ct).ConfigureAwait(false);
            }
        }
    }
}
