using System.Globalization;
using Confluent.Kafka;

namespace Acceptance.Tests.Kill;

/// <summary>
/// Concurrent idempotent producers with acks=all that never give up a record, and the journal of what was acknowledged to each. Every
/// record's content follows from its producer and number, so a reader recognises damage.
/// </summary>
sealed class JournalingProducers : IDisposable
{
    const int InFlight = 64;
    readonly CancellationTokenSource _stop = new();
    readonly IProducer<string, string>[] _producers;
    readonly Task[] _work;
    readonly int[] _sent, _acknowledged;
    readonly string _topic;
    readonly int _round, _partitions, _pause;

    /// <param name="bootstrap">The gateway.</param>
    /// <param name="topic">An existing topic.</param>
    /// <param name="partitions">How many partitions it has.</param>
    /// <param name="round">Part of every producer's name, so that rounds do not mix.</param>
    /// <param name="count">How many producers.</param>
    /// <param name="pause">Milliseconds each rests after 16 records.</param>
    public JournalingProducers(string bootstrap, string topic, int partitions, int round = 0, int count = 16, int pause = 5)
    {
        (_topic, _partitions, _round, _pause) = (topic, partitions, round, pause);
        (_sent, _acknowledged) = (new int[count], new int[count]);
        _producers = [.. Enumerable.Range(0, count).Select(_ => new ProducerBuilder<string, string>(new ProducerConfig
        {
            BootstrapServers = bootstrap, Acks = Acks.All, EnableIdempotence = true, MessageTimeoutMs = 0, LingerMs = 2,
            ReconnectBackoffMs = 50, ReconnectBackoffMaxMs = 150, RetryBackoffMs = 50, RetryBackoffMaxMs = 250,
        }).SetLogHandler((_, _) => { }).SetErrorHandler((_, e) => { if (e.IsFatal) Failures.Enqueue(e.Reason); }).Build())];
        _work = [.. Enumerable.Range(0, count).Select(i => Task.Run(() => ProduceAsync(i)))];
    }

    /// <summary>Deliveries that failed and fatal errors: there must be none.</summary>
    public System.Collections.Concurrent.ConcurrentQueue<string> Failures { get; } = new();

    /// <summary>Records acknowledged so far.</summary>
    public int Acknowledged => _acknowledged.Sum();

    /// <summary>By producer, how many of its first records were acknowledged. Acknowledgements of one producer come in order.</summary>
    public Dictionary<string, int> Journal => Enumerable.Range(0, _sent.Length).ToDictionary(NameOf, i => Volatile.Read(ref _acknowledged[i]), StringComparer.Ordinal);

    /// <summary>By producer, how many records it was given.</summary>
    public Dictionary<string, int> Sent => Enumerable.Range(0, _sent.Length).ToDictionary(NameOf, i => Volatile.Read(ref _sent[i]), StringComparer.Ordinal);

    /// <summary>The one content a producer's record of this number can have.</summary>
    public static string Content(string producer, int number) => string.Create(CultureInfo.InvariantCulture, $"{producer} {number} {new string((char)('a' + number % 26), 20 + number * 7919 % 300)}");

    /// <summary>Produces no more and waits until everything is acknowledged.</summary>
    public async Task FinishAsync(int seconds)
    {
        await StopAsync();
        await Eventually.TrueAsync(() => Acknowledged == _sent.Sum(), seconds, () => $"{_sent.Sum() - Acknowledged} records were never acknowledged.");
    }

    /// <summary>Produces no more; what is on its way is left to its fate.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_work);
    }

    public void Dispose()
    {
        _stop.Cancel();
        Task.WaitAll(_work);
        Parallel.ForEach(_producers, p => p.Dispose());
        _stop.Dispose();
    }

    string NameOf(int i) => string.Create(CultureInfo.InvariantCulture, $"p{_round}.{i}");

    async Task ProduceAsync(int i)
    {
        var name = NameOf(i);
        using var room = new SemaphoreSlim(InFlight);
        try
        {
            for (var number = 0; ; number++)
            {
                await room.WaitAsync(_stop.Token);
                var expected = number;
                _producers[i].Produce(new TopicPartition(_topic, i % _partitions), new Message<string, string> { Key = name, Value = Content(name, number) }, report =>
                {
                    if (report.Error.IsError) Failures.Enqueue($"{name} {expected}: {report.Error.Reason}");
                    else if (Interlocked.Increment(ref _acknowledged[i]) != expected + 1) Failures.Enqueue($"{name} {expected}: acknowledged out of order");
                    try { room.Release(); }
                    catch (ObjectDisposedException) { return; }      // reports may come after the end
                });
                Volatile.Write(ref _sent[i], number + 1);
                if (number % 16 == 15) await Task.Delay(_pause, _stop.Token);
            }
        }
        catch (OperationCanceledException)
        {
            return;
        }
    }
}
