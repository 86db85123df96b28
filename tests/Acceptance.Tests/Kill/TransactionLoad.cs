using System.Globalization;
using Confluent.Kafka;

namespace Acceptance.Tests.Kill;

/// <summary>
/// Transactional producers over several partitions, of whose transactions a third is aborted: a reader of committed records sees all of a
/// committed one, nothing of an aborted one, nothing twice.
/// </summary>
/// <remarks>
/// The producers end their transactions and rest while the topic is read: else one that is open keeps parts of others from being seen.
/// </remarks>
sealed class TransactionLoad : Load
{
    public const int Partitions = 3;
    const int Producers = 4;

    readonly CancellationTokenSource _stop = new();
    readonly Dictionary<(int Producer, int Number), Transaction> _recent = [];
    readonly Dictionary<(int Producer, int Partition), (int Number, int Part)> _last = [];
    readonly Thread[] _work;
    readonly Follower _follower, _all;
    readonly Pause _pause = new(Producers);
    readonly string _bootstrap, _topic;
    readonly int _seed;
    int _committed, _aborted, _unknown, _seen;

    /// <param name="bootstrap">The gateway.</param>
    /// <param name="topic">An existing topic.</param>
    /// <param name="seed">Decides sizes and ends.</param>
    public TransactionLoad(string bootstrap, string topic, int seed)
    {
        (_bootstrap, _topic, _seed) = (bootstrap, topic, seed);
        _follower = new(bootstrap, topic, Partitions, committedOnly: true);
        _all = new(bootstrap, topic, Partitions);
        _work = [.. Enumerable.Range(0, Producers).Select(i => new Thread(() => Produce(i)) { IsBackground = true, Name = "transactions " + i })];
        foreach (var thread in _work) thread.Start();
    }

    public override long Acknowledged => Volatile.Read(ref _committed);

    public override string Summary => $"{_committed} transactions committed, {_aborted} aborted, {_unknown} with an end unknown to the client";

    void Produce(int producer)
    {
        try
        {
            var random = new Random(_seed + producer);
            using var client = new TransactionalClient(_bootstrap, $"{_topic}-{producer}");
            for (var number = 0; _pause.Here(); number++)
            {
                var (n, transaction) = (number, new Transaction(random.Next(1, 9), Commit: random.Next(3) > 0));
                lock (_recent) _recent.Add((producer, n), transaction);
                var end = client.Run(p =>
                {
                    for (var part = 0; part < transaction.Parts; part++)
                        p.Produce(new TopicPartition(_topic, (n + part) % Partitions), new() { Key = "k", Value = string.Create(CultureInfo.InvariantCulture, $"{producer} {n} {part}") });
                    // Some are asked to end with records still on their way, some are long.
                    if (random.Next(3) == 0) p.Flush(TimeSpan.FromMilliseconds(random.Next(100)));
                }, transaction.Commit, _stop.Token);
                transaction.End = end;
                _ = end switch
                {
                    TransactionalClient.End.Committed => Interlocked.Increment(ref _committed),
                    TransactionalClient.End.Aborted => Interlocked.Increment(ref _aborted),
                    _ => Interlocked.Increment(ref _unknown),
                };
                if (end == TransactionalClient.End.Committed && !transaction.Commit) Failures.Enqueue($"{producer} {n} was committed without having been asked to");
            }
        }
        catch (KafkaException e)
        {
            Failures.Enqueue($"{_topic}-{producer}: {e}");
        }
    }

    public override Task CheckAsync() => Task.Run(() =>
    {
        Rest();
        _pause.End();
    });

    void Rest()
    {
        if (_pause.Begin(TimeSpan.FromSeconds(60))) Compare();
        else Failures.Enqueue($"{_topic}: transactions come to no end");
    }

    void Compare()
    {
        _follower.Read(Take);
        for (var p = 0; p < Partitions; p++)
        {
            var (stable, end) = (_follower.Watermarks(p).High, _all.Watermarks(p).High);
            if (stable != end) Failures.Enqueue($"{_topic}-{p}: the last stable offset is {stable}, the end {end}, and no transaction is open");
        }
        foreach (var (key, transaction) in _recent)
        {
            var (seen, parts) = (transaction.Seen, transaction.Parts);
            if (transaction.End == TransactionalClient.End.Committed && seen != parts) Failures.Enqueue($"Transaction {key} was acknowledged as committed, and {seen} of {parts} records are there");
            if (transaction.End == TransactionalClient.End.Aborted && seen > 0) Failures.Enqueue($"Transaction {key} was aborted, and {seen} of {parts} records are seen");
            if (seen > 0 && seen < parts) Failures.Enqueue($"Transaction {key} is torn: {seen} of {parts} records are there");
        }
        _recent.Clear();
    }

    void Take(ConsumeResult<string, string> record)
    {
        var parts = record.Message.Value.Split(' ').Select(p => int.Parse(p, CultureInfo.InvariantCulture)).ToArray();
        var (place, at) = ((parts[0], record.Partition.Value), (parts[1], parts[2]));
        if (_last.TryGetValue(place, out var last) && at.CompareTo(last) <= 0) Failures.Enqueue($"{record.TopicPartitionOffset}: {record.Message.Value} is there twice or out of order after {last}");
        _last[place] = at;
        _seen++;
        if (_recent.TryGetValue((parts[0], parts[1]), out var transaction)) transaction.Seen++;
        else Failures.Enqueue($"{record.TopicPartitionOffset}: {record.Message.Value} belongs to no transaction that could be seen here");
    }

    public override Task FinishAsync() => Task.Run(() =>
    {
        Rest();
        // All of it again, by a reader that knows nothing.
        using var again = new Follower(_bootstrap, _topic, Partitions, committedOnly: true);
        var count = again.Read(_ => { });
        if (count != _seen) Failures.Enqueue($"{_topic} has {count} committed records; {_seen} were read before");
    });

    public override ValueTask DisposeAsync()
    {
        _stop.Cancel();
        _pause.Over();
        foreach (var thread in _work) thread.Join();
        _follower.Dispose();
        _all.Dispose();
        _stop.Dispose();
        return default;
    }

    sealed record Transaction(int Parts, bool Commit)
    {
        public TransactionalClient.End? End { get; set; }
        public int Seen { get; set; }
    }
}
