using Confluent.Kafka;

namespace Acceptance.Tests.Kill;

/// <summary>
/// Reads a topic, writes what it read to another and commits how far it came in the same transaction, some of which are aborted: the copy is
/// the original, each record once, in order, whatever happens between.
/// </summary>
sealed class CopyLoad : Load
{
    public const int Partitions = 2;
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    readonly CancellationTokenSource _stop = new();
    readonly PlainLoad _input;
    readonly Follower _follower;
    readonly Sequences _sequences;
    readonly Thread[] _work;
    readonly string _bootstrap, _from, _to;
    readonly int _seed;
    readonly long[] _copied = new long[Partitions];
    int _aborted;

    /// <param name="bootstrap">The gateway.</param>
    /// <param name="from">An existing topic.</param>
    /// <param name="to">Another.</param>
    /// <param name="seed">Decides sizes and ends.</param>
    public CopyLoad(string bootstrap, string from, string to, int seed)
    {
        (_bootstrap, _from, _to, _seed) = (bootstrap, from, to, seed);
        _input = new(bootstrap, from, Partitions, producers: Partitions, pause: 80);
        _follower = new(bootstrap, to, Partitions, committedOnly: true);
        _sequences = new(Failures.Enqueue);
        _work = [.. Enumerable.Range(0, Partitions).Select(i => new Thread(() => Copy(i)) { IsBackground = true, Name = "copy " + i })];
        foreach (var thread in _work) thread.Start();
    }

    public override long Acknowledged => _copied.Sum();

    public override string Summary => $"{_sequences.Count} of {_input.Acknowledged} records copied exactly once, {_aborted} transactions aborted meanwhile";

    void Copy(int partition)
    {
        try
        {
            var random = new Random(_seed - partition);
            using var client = new TransactionalClient(_bootstrap, $"{_to}-{partition}");
            using var consumer = new ConsumerBuilder<string, string>(new ConsumerConfig
            {
                BootstrapServers = _bootstrap, GroupId = _to, EnableAutoCommit = false, AutoOffsetReset = AutoOffsetReset.Error, IsolationLevel = IsolationLevel.ReadCommitted,
                ReconnectBackoffMs = 50, ReconnectBackoffMaxMs = 150, FetchErrorBackoffMs = 20, FetchWaitMaxMs = 50,
            }).SetLogHandler((_, _) => { }).SetErrorHandler((_, _) => { }).Build();
            for (var next = -1L; !_stop.IsCancellationRequested;)
            {
                if (next < 0)
                {
                    if (Committed(consumer, partition) is not { } committed) continue;
                    next = committed;
                    consumer.Assign(new TopicPartitionOffset(_from, partition, next));
                }
                var records = new List<ConsumeResult<string, string>>();
                for (var most = random.Next(1, 60); records.Count < most && consumer.Consume(20) is { } record;) records.Add(record);
                if (records.Count == 0) continue;
                var after = records[^1].Offset.Value + 1;
                var end = client.Run(p =>
                {
                    foreach (var record in records) p.Produce(new TopicPartition(_to, partition), record.Message);
                    p.SendOffsetsToTransaction([new(_from, partition, after)], consumer.ConsumerGroupMetadata, Patience);
                }, random.Next(4) > 0, _stop.Token);
                if (end == TransactionalClient.End.Committed) Volatile.Write(ref _copied[partition], next = after);
                else next = -1; // what counts is what the gateway says
                if (end == TransactionalClient.End.Aborted) Interlocked.Increment(ref _aborted);
            }
        }
        catch (KafkaException e)
        {
            Failures.Enqueue($"copy {partition}: {e}");
        }
    }

    long? Committed(IConsumer<string, string> consumer, int partition)
    {
        try
        {
            var offset = consumer.Committed([new(_from, partition)], Patience)[0].Offset;
            if (offset.Value < Volatile.Read(ref _copied[partition]) && _copied[partition] > 0) Failures.Enqueue($"{_to}: offset {offset} of partition {partition} is behind {_copied[partition]}, which was committed");
            return offset == Offset.Unset ? 0 : offset.Value;
        }
        catch (KafkaException e) when (!e.Error.IsFatal)
        {
            return null; // the gateway is away
        }
    }

    public override async Task CheckAsync()
    {
        await _input.CheckAsync();
        await Task.Run(Follow);
    }

    void Follow()
    {
        var copied = Enumerable.Range(0, Partitions).Select(p => Volatile.Read(ref _copied[p])).ToArray();
        _follower.Read(_sequences.Take);
        // One producer wrote each partition of the input and nothing else, so a producer's number is the offset.
        _sequences.Compare(Enumerable.Range(0, Partitions).ToDictionary(p => $"p0.{p}", p => (int)copied[p]));
        while (_input.Failures.TryDequeue(out var failure)) Failures.Enqueue(failure);
    }

    public override async Task FinishAsync()
    {
        await _input.StopAsync();
        await Eventually.TrueAsync(() => _copied.Sum() == _input.Acknowledged, 240, () => $"{_to}: {_copied.Sum()} of {_input.Acknowledged} records were copied; {string.Join("; ", Failures.Take(3))}");
        await _stop.CancelAsync();
        foreach (var thread in _work) await Task.Run(thread.Join);
        await _input.FinishAsync();
        await Task.Run(Follow);
        if (_sequences.Count != _input.Acknowledged) Failures.Enqueue($"{_to} has {_sequences.Count} records, {_from} {_input.Acknowledged}");
    }

    public override async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        foreach (var thread in _work) thread.Join();
        await _input.DisposeAsync();
        _follower.Dispose();
        _stop.Dispose();
    }
}
