using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Acceptance.Tests.Kill;

/// <summary>
/// A group of two members that read a topic and commit: the committed offset is never behind the last that was acknowledged, and never beyond the
/// end of the log.
/// </summary>
sealed class GroupLoad : Load
{
    readonly CancellationTokenSource _stop = new();
    readonly IAdminClient _admin;
    readonly Follower _ends;
    readonly Thread[] _work;
    readonly string _bootstrap, _topic, _group;
    readonly GroupProtocol _protocol;
    readonly long[] _committed;
    long _commits;

    /// <param name="bootstrap">The gateway.</param>
    /// <param name="topic">An existing topic that somebody writes.</param>
    /// <param name="partitions">How many partitions it has.</param>
    /// <param name="protocol">Of which kind the group is.</param>
    public GroupLoad(string bootstrap, string topic, int partitions, GroupProtocol protocol)
    {
        (_bootstrap, _topic, _protocol, _group) = (bootstrap, topic, protocol, $"{topic}-{protocol}");
        _committed = new long[partitions];
        _ends = new(bootstrap, topic, partitions);
        _admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = bootstrap, ReconnectBackoffMs = 50, ReconnectBackoffMaxMs = 150 })
            .SetLogHandler((_, _) => { }).SetErrorHandler((_, _) => { }).Build();
        _work = [.. Enumerable.Range(0, 2).Select(i => new Thread(Consume) { IsBackground = true, Name = "member " + i })];
        foreach (var thread in _work) thread.Start();
    }

    public override long Acknowledged => Interlocked.Read(ref _commits);

    public override string Summary => $"{Acknowledged} commits of the {_protocol} group";

    void Consume()
    {
        var config = new ConsumerConfig
        {
            BootstrapServers = _bootstrap, GroupId = _group, GroupProtocol = _protocol, EnableAutoCommit = false, AutoOffsetReset = AutoOffsetReset.Earliest,
            ReconnectBackoffMs = 50, ReconnectBackoffMaxMs = 150, RetryBackoffMs = 20, RetryBackoffMaxMs = 100, FetchErrorBackoffMs = 20, FetchWaitMaxMs = 50,
        };
        if (_protocol == GroupProtocol.Classic) (config.SessionTimeoutMs, config.HeartbeatIntervalMs) = (6_000, 300);
        using var consumer = new ConsumerBuilder<string, string>(config).SetLogHandler((_, _) => { }).SetErrorHandler((_, e) => { if (e.IsFatal) Failures.Enqueue($"{_group}: {e.Reason}"); }).Build();
        consumer.Subscribe(_topic);
        var read = new Dictionary<int, long>();
        for (var count = 1; !_stop.IsCancellationRequested; count++)
        {
            try
            {
                if (consumer.Consume(50) is { } record) read[record.Partition.Value] = record.Offset.Value + 1;
                if (count % 20 != 0 || read.Count == 0) continue;
                consumer.Commit(read.Select(r => new TopicPartitionOffset(_topic, r.Key, r.Value)));
                lock (_committed)
                    foreach (var (partition, offset) in read) _committed[partition] = Math.Max(_committed[partition], offset);
                Interlocked.Increment(ref _commits);
                read.Clear();
            }
            catch (KafkaException e) when (!e.Error.IsFatal)
            {
                read.Clear(); // away, or no member any more: nothing was promised
            }
        }
        consumer.Close();
    }

    public override async Task CheckAsync()
    {
        long[] promised;
        lock (_committed) promised = [.. _committed];
        var partitions = Enumerable.Range(0, promised.Length).Select(p => new TopicPartition(_topic, p)).ToList();
        var answer = await _admin.ListConsumerGroupOffsetsAsync([new ConsumerGroupTopicPartitions(_group, partitions)], new() { RequestTimeout = TimeSpan.FromSeconds(30) });
        foreach (var told in answer[0].Partitions)
        {
            var (partition, offset) = (told.Partition.Value, told.Offset == Offset.Unset ? 0 : told.Offset.Value);
            if (offset < promised[partition]) Failures.Enqueue($"{_group}: partition {partition} is committed up to {offset}; {promised[partition]} was acknowledged");
            var high = await Task.Run(() => _ends.Watermarks(partition).High);
            if (offset > high) Failures.Enqueue($"{_group}: partition {partition} is committed up to {offset}, beyond the end {high}");
        }
    }

    public override async Task FinishAsync()
    {
        await CheckAsync();
        if (Acknowledged == 0) Failures.Enqueue($"{_group}: nothing was ever committed, the programme proves nothing about it");
        await _stop.CancelAsync();
        foreach (var thread in _work) await Task.Run(thread.Join);
        await CheckAsync();
    }

    public override ValueTask DisposeAsync()
    {
        _stop.Cancel();
        foreach (var thread in _work) thread.Join();
        _ends.Dispose();
        _admin.Dispose();
        _stop.Dispose();
        return default;
    }
}
