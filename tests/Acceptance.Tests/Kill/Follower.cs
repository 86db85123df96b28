using Confluent.Kafka;

namespace Acceptance.Tests.Kill;

/// <summary>
/// An independent reader of all partitions of a topic that stays where it was when the gateway dies: each call of <see cref="Read"/> gives what
/// has been added since, with every batch's CRC checked. Not thread-safe.
/// </summary>
sealed class Follower : IDisposable
{
    readonly IConsumer<string, string> _consumer;
    readonly string _topic;
    readonly long[] _next;

    /// <param name="bootstrap">The gateway.</param>
    /// <param name="topic">An existing topic.</param>
    /// <param name="partitions">How many partitions it has.</param>
    /// <param name="committedOnly">Whether it reads committed records only, and only up to the last stable offset.</param>
    /// <param name="shrinks">Whether the log's start may overtake it.</param>
    public Follower(string bootstrap, string topic, int partitions, bool committedOnly = false, bool shrinks = false)
    {
        (_topic, _next) = (topic, new long[partitions]);
        _consumer = new ConsumerBuilder<string, string>(new ConsumerConfig
        {
            BootstrapServers = bootstrap, GroupId = "follower", EnableAutoCommit = false, EnablePartitionEof = true, CheckCrcs = true, AllowAutoCreateTopics = false,
            AutoOffsetReset = shrinks ? AutoOffsetReset.Earliest : AutoOffsetReset.Error,
            IsolationLevel = committedOnly ? IsolationLevel.ReadCommitted : IsolationLevel.ReadUncommitted,
            ReconnectBackoffMs = 50, ReconnectBackoffMaxMs = 150, FetchErrorBackoffMs = 20, FetchWaitMaxMs = 50,
        }).SetLogHandler((_, _) => { }).SetErrorHandler((_, _) => { }).Build();
        Rewind();
    }

    /// <summary>Start and end of a partition as they are now; the end is the last stable offset for readers of committed records.</summary>
    public (long Low, long High) Watermarks(int partition)
    {
        var answer = _consumer.QueryWatermarkOffsets(new(_topic, partition), TimeSpan.FromSeconds(30));
        return (answer.Low.Value, answer.High.Value);
    }

    /// <summary>Begins again with the first record there is.</summary>
    public void Rewind()
    {
        Array.Clear(_next);
        _consumer.Assign(Enumerable.Range(0, _next.Length).Select(p => new TopicPartitionOffset(_topic, p, Offset.Beginning)));
    }

    /// <summary>Reads to the ends as they are now. Returns how many records there were.</summary>
    public int Read(Action<ConsumeResult<string, string>> take)
    {
        var ends = Enumerable.Range(0, _next.Length).Select(p => Watermarks(p).High).ToArray();
        var (count, silence) = (0, 0);
        while (Enumerable.Range(0, _next.Length).Any(p => _next[p] < ends[p]))
        {
            var record = _consumer.Consume(TimeSpan.FromSeconds(1));
            if (record is null)
            {
                if (++silence == 30) throw new TimeoutException($"{_topic}: nothing for 30 s at {string.Join(' ', _next)}; the ends are {string.Join(' ', ends)}.");
                continue;
            }
            silence = 0;
            var partition = record.Partition.Value;
            if (record.IsPartitionEOF)
            {
                _next[partition] = Math.Max(_next[partition], record.Offset.Value);
                continue;
            }
            if (record.Offset.Value < _next[partition]) throw new InvalidDataException($"{_topic}-{partition}: offset {record.Offset.Value} came after {_next[partition] - 1}.");
            count++;
            take(record);
            _next[partition] = record.Offset.Value + 1;
        }
        return count;
    }

    /// <inheritdoc/>
    public void Dispose() => _consumer.Dispose();
}
