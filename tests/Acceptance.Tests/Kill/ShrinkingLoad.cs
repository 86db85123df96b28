using System.Globalization;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Acceptance.Tests.Kill;

/// <summary>
/// Idempotent producers on a topic whose old records go by size and by delete-records at the same time: nothing goes that neither asked for, what
/// was deleted does not come back, the rest is there once and in order.
/// </summary>
sealed class ShrinkingLoad : Load
{
    public const int Partitions = 2, RetentionBytes = 256 << 10;
    // The largest record of JournalingProducers in a batch of its own.
    const int RecordBytes = 440;

    /// <summary>Settings its topic must have.</summary>
    public static Dictionary<string, string> Settings => new() { ["segment.ms"] = "300", ["retention.bytes"] = $"{RetentionBytes}" };

    readonly CancellationTokenSource _stop = new();
    readonly JournalingProducers _producers;
    readonly IAdminClient _admin;
    readonly Follower _follower;
    readonly Sequences _sequences;
    readonly Task _deleting;
    readonly string _topic;
    readonly long[] _asked = new long[Partitions], _deleted = new long[Partitions], _read = new long[Partitions];
    long _starts;

    /// <param name="bootstrap">The gateway.</param>
    /// <param name="topic">An existing topic with <see cref="Settings"/>.</param>
    /// <param name="seed">Decides when and what is deleted.</param>
    public ShrinkingLoad(string bootstrap, string topic, int seed)
    {
        _topic = topic;
        _producers = new(bootstrap, topic, Partitions, count: 4, pause: 60);
        _follower = new(bootstrap, topic, Partitions, shrinks: true);
        _sequences = new(Failures.Enqueue);
        _admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = bootstrap, ReconnectBackoffMs = 50, ReconnectBackoffMaxMs = 150 })
            .SetLogHandler((_, _) => { }).SetErrorHandler((_, _) => { }).Build();
        _deleting = Task.Run(() => DeleteAsync(bootstrap, new(seed)));
    }

    public override long Acknowledged => _producers.Acknowledged;

    public override string Summary => $"{Acknowledged} in {_topic}, of which {_starts} have gone by retention and delete-records";

    async Task DeleteAsync(string bootstrap, Random random)
    {
        using var ends = new Follower(bootstrap, _topic, Partitions, shrinks: true);
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(random.Next(100, 800), _stop.Token);
                var partition = random.Next(Partitions);
                var to = ends.Watermarks(partition).High - random.Next(200, 3000);
                if (to <= 0) continue;
                // Asked for from now on, whether or not an answer comes.
                lock (_asked) _asked[partition] = Math.Max(_asked[partition], to);
                await _admin.DeleteRecordsAsync([new TopicPartitionOffset(_topic, partition, to)], new() { RequestTimeout = TimeSpan.FromSeconds(5) });
                lock (_asked) _deleted[partition] = Math.Max(_deleted[partition], to);
            }
            catch (Exception e) when (e is KafkaException or OperationCanceledException)
            {
                continue; // the gateway is away
            }
        }
    }

    public override Task CheckAsync() => Task.Run(() =>
    {
        long[] deleted;
        lock (_asked) deleted = [.. _deleted];
        var journal = _producers.Journal;
        for (var p = 0; p < Partitions; p++)
        {
            var (low, high) = _follower.Watermarks(p);
            long asked;
            lock (_asked) asked = _asked[p];
            if (low < deleted[p]) Failures.Enqueue($"{_topic}-{p} starts with {low}; {deleted[p]} was acknowledged as its start");
            if (low > asked && (high - low) * RecordBytes < RetentionBytes) Failures.Enqueue($"{_topic}-{p} has only {low} to {high}: retention took too much; asked to delete was {asked}");
        }
        _follower.Read(record =>
        {
            var partition = record.Partition.Value;
            if (record.Offset.Value != _read[partition])
            {
                var low = _follower.Watermarks(partition).Low;
                if (low < record.Offset.Value) Failures.Enqueue($"{record.TopicPartitionOffset} follows {_read[partition] - 1}, and the log starts with {low}");
                _sequences.Jumped(journal.Keys.Where(k => int.Parse(k.AsSpan(k.IndexOf('.') + 1), CultureInfo.InvariantCulture) % Partitions == partition));
            }
            _read[partition] = record.Offset.Value + 1;
            _sequences.Take(record);
        });
        _sequences.Compare(journal);
        _starts = Enumerable.Range(0, Partitions).Sum(p => _follower.Watermarks(p).Low);
        foreach (var failure in _producers.Failures) Failures.Enqueue(failure);
    });

    public override async Task FinishAsync()
    {
        await _stop.CancelAsync();
        await _deleting;
        await _producers.FinishAsync(240);
        await CheckAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _deleting;
        _producers.Dispose();
        _follower.Dispose();
        _admin.Dispose();
        _stop.Dispose();
    }
}
