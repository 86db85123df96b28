using System.Globalization;
using Confluent.Kafka;

namespace Acceptance.Tests.Interruptions;

/// <summary>
/// What came into the log, read by an independent client, and judged: lost, doubled, out of order. A broker that was killed may go back to an older
/// state of its sessions and send again what it had acknowledgements for; such replays are told apart by number and place, and counted.
/// </summary>
sealed class InterruptedLog(string bootstrap, string topic) : IDisposable
{
    readonly List<(long Offset, int[] Before)> _replays = [];
    readonly HashSet<string> _seen = [];
    readonly Dictionary<int, int> _last = [];
    IConsumer<Ignore, string>? _consumer;
    long _next;

    public int Doubled { get; private set; }

    public int Replayed { get; private set; }

    /// <summary>Records that stand behind later ones of their topic: the later one, and the one behind it.</summary>
    public List<(string Later, string Behind)> Disordered { get; } = [];

    /// <summary>From this place on, numbers below the given ones are the broker's memory, not the gateway's doing.</summary>
    public void ExpectReplays(int[] before) => _replays.Add((End(), before));

    /// <summary>Payloads among these that are not in the log.</summary>
    public List<string> Missing(IEnumerable<string> payloads) => [.. payloads.Where(p => !_seen.Contains(p)).Order(StringComparer.Ordinal)];

    public int Distinct => _seen.Count;

    /// <summary>The end as it is now.</summary>
    public long End() => Consumer().QueryWatermarkOffsets(new TopicPartition(topic, 0), TimeSpan.FromSeconds(30)).High.Value;

    /// <summary>Reads on to the end as it is now.</summary>
    public void Read()
    {
        var end = End();
        if (_next >= end) return;
        var consumer = Consumer();
        consumer.Assign(new TopicPartitionOffset(topic, 0, _next));
        while (_next < end)
        {
            var record = consumer.Consume(TimeSpan.FromSeconds(30)) ?? throw new TimeoutException($"No record at {_next} of {end}.");
            _next = record.Offset.Value + 1;
            Judge(record.Offset.Value, record.Message.Value);
        }
    }

    void Judge(long offset, string payload)
    {
        var (source, number) = (int.Parse(payload.AsSpan(0, 2), CultureInfo.InvariantCulture), int.Parse(payload.AsSpan(3), CultureInfo.InvariantCulture));
        if (_replays.Exists(r => offset >= r.Offset && number < r.Before[source]))
        {
            Replayed++;
            _seen.Add(payload);
            return;
        }
        if (!_seen.Add(payload))
        {
            Doubled++;
            return;
        }
        if (_last.TryGetValue(source, out var last) && number <= last) Disordered.Add((UniquePublisher.Text(source, last), payload));
        _last[source] = Math.Max(number, last);
    }

    IConsumer<Ignore, string> Consumer() => _consumer ??= new ConsumerBuilder<Ignore, string>(new ConsumerConfig
    {
        BootstrapServers = bootstrap, GroupId = "check", EnableAutoCommit = false, CheckCrcs = true, ReconnectBackoffMs = 50, ReconnectBackoffMaxMs = 150, FetchWaitMaxMs = 50,
    }).SetLogHandler((_, _) => { }).SetErrorHandler((_, _) => { }).Build();

    public void Dispose() => _consumer?.Dispose();
}
