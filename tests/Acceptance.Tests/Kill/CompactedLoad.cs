using System.Globalization;
using Confluent.Kafka;

namespace Acceptance.Tests.Kill;

/// <summary>
/// Idempotent producers that write few keys over and over, and delete some, in a topic that is compacted all the time: of every key the last
/// acknowledged state is there, and no older one comes back.
/// </summary>
/// <remarks>
/// The producers rest while the topic is read: else a record may be compacted away in favour of one behind the reader's end.
/// </remarks>
sealed class CompactedLoad : Load
{
    public const int Partitions = 2;
    const int Producers = 4, Keys = 30;

    /// <summary>Settings its topic must have.</summary>
    public static Dictionary<string, string> Settings => new()
    {
        ["cleanup.policy"] = "compact", ["segment.ms"] = "250", ["min.cleanable.dirty.ratio"] = "0.01", ["delete.retention.ms"] = "500",
    };

    readonly CancellationTokenSource _stop = new();
    readonly Pause _pause = new(Producers);
    readonly IProducer<string, string?>[] _producers;
    readonly int[] _sent = new int[Producers], _acknowledged = new int[Producers];
    readonly Thread[] _work;
    readonly Follower _reader;
    readonly string _topic;
    long _kept, _passed;

    /// <param name="bootstrap">The gateway.</param>
    /// <param name="topic">An existing topic with <see cref="Settings"/>.</param>
    public CompactedLoad(string bootstrap, string topic)
    {
        _topic = topic;
        _reader = new(bootstrap, topic, Partitions);
        _producers = [.. Enumerable.Range(0, Producers).Select(_ => new ProducerBuilder<string, string?>(new ProducerConfig
        {
            BootstrapServers = bootstrap, Acks = Acks.All, EnableIdempotence = true, MessageTimeoutMs = 0, LingerMs = 2,
            ReconnectBackoffMs = 50, ReconnectBackoffMaxMs = 150, RetryBackoffMs = 20, RetryBackoffMaxMs = 100,
        }).SetLogHandler((_, _) => { }).SetErrorHandler((_, e) => { if (e.IsFatal) Failures.Enqueue(e.Reason); }).Build())];
        _work = [.. Enumerable.Range(0, Producers).Select(i => new Thread(() => Produce(i)) { IsBackground = true, Name = "compacted " + i })];
        foreach (var thread in _work) thread.Start();
    }

    public override long Acknowledged => _acknowledged.Sum(a => (long)a);

    public override string Summary => $"{Acknowledged} in {_topic}, compacted to {_kept}";

    // What a producer's record of this number is follows from both.
    static (string Key, string? Value) Record(int producer, int number)
    {
        var mix = (uint)number * 2654435761u >> 8;
        var key = string.Create(CultureInfo.InvariantCulture, $"{producer}.{mix % Keys}");
        return (key, mix / Keys % 8 == 0 ? null : string.Create(CultureInfo.InvariantCulture, $"{number} {new string((char)('a' + number % 26), 50 + number % 200)}"));
    }

    void Produce(int i)
    {
        for (var number = 0; _pause.Here(); number++)
        {
            // At most 32 under way.
            while (number - Volatile.Read(ref _acknowledged[i]) >= 32)
                if (_stop.Token.WaitHandle.WaitOne(5)) return;
            var (key, value) = Record(i, number);
            var expected = number;
            Volatile.Write(ref _sent[i], number + 1);
            _producers[i].Produce(new TopicPartition(_topic, i % Partitions), new() { Key = key, Value = value }, report =>
            {
                if (report.Error.IsError) Failures.Enqueue($"{_topic} {key} {expected}: {report.Error.Reason}");
                else if (Interlocked.Increment(ref _acknowledged[i]) != expected + 1) Failures.Enqueue($"{_topic} {key} {expected}: acknowledged out of order");
            });
            if (number % 32 == 31) _stop.Token.WaitHandle.WaitOne(60);
        }
    }

    public override async Task CheckAsync()
    {
        if (!await Task.Run(() => _pause.Begin(TimeSpan.FromSeconds(60)))) Failures.Enqueue($"{_topic}: nothing is acknowledged");
        await Eventually.TrueAsync(() => _acknowledged.SequenceEqual(_sent), 240, () => $"{_topic}: {_sent.Sum() - _acknowledged.Sum()} records were never acknowledged");
        await Task.Run(Compare);
        _pause.End();
    }

    void Compare()
    {
        var last = new Dictionary<string, (int Number, bool Deleted)>(StringComparer.Ordinal);
        _reader.Rewind();
        _kept = _reader.Read(record =>
        {
            var producer = record.Message.Key[0] - '0';
            var number = record.Message.Value is { } value ? int.Parse(value.AsSpan(0, value.IndexOf(' ')), CultureInfo.InvariantCulture) : -1;
            if (number >= 0 && (number >= _sent[producer] || Record(producer, number) != (record.Message.Key, record.Message.Value))) Failures.Enqueue($"{record.TopicPartitionOffset} is damaged");
            if (number >= 0 && last.TryGetValue(record.Message.Key, out var before) && before.Number >= number) Failures.Enqueue($"{record.TopicPartitionOffset}: {record.Message.Key} {number} follows {before.Number}");
            last[record.Message.Key] = number >= 0 ? (number, false) : (last.GetValueOrDefault(record.Message.Key, (-1, true)).Item1, true);
        });
        for (var producer = 0; producer < Producers; producer++)
        {
            var (seen, number) = (new HashSet<string>(StringComparer.Ordinal), _sent[producer]);
            // The latest of every key comes first, going back.
            while (number-- > 0 && seen.Count < Keys)
            {
                var (key, value) = Record(producer, number);
                if (!seen.Add(key)) continue;
                var found = last.TryGetValue(key, out var state);
                if (value is not null && (!found || state.Deleted || state.Number != number)) Failures.Enqueue($"{_topic}: {key} is {(found ? state : "not there")}; {number} was acknowledged last");
                if (value is null && found && !state.Deleted) Failures.Enqueue($"{_topic}: {key} was deleted and is {state.Number} again");
            }
        }
        _passed = Math.Max(_passed, Acknowledged - _kept);
    }

    public override async Task FinishAsync()
    {
        await CheckAsync();
        if (_passed < Acknowledged / 2) Failures.Enqueue($"{_topic}: of {Acknowledged} records {_kept} are there; compaction did nearly nothing, the programme proves nothing about it");
    }

    public override ValueTask DisposeAsync()
    {
        _stop.Cancel();
        _pause.Over();
        foreach (var thread in _work) thread.Join();
        Parallel.ForEach(_producers, p => p.Dispose());
        _reader.Dispose();
        _stop.Dispose();
        return default;
    }
}
