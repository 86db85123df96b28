using System.Globalization;
using Confluent.Kafka;

namespace Acceptance.Tests.Kill;

/// <summary>Everything a topic holds, read by an independent client that checks every batch's CRC, sorted by producer.</summary>
sealed class LogContent
{
    readonly Dictionary<string, List<int>> _numbers = new(StringComparer.Ordinal);

    /// <summary>Records read.</summary>
    public int Count { get; private set; }

    /// <summary>Records whose content is not what their producer wrote, and offsets that do not follow each other.</summary>
    public List<string> Damage { get; } = [];

    /// <summary>Numbers of a producer's records, in order of the log.</summary>
    public IReadOnlyList<int> Of(string producer) => _numbers.GetValueOrDefault(producer) ?? [];

    /// <summary>Acknowledged records that are not there.</summary>
    public List<string> Missing(IReadOnlyDictionary<string, int> journal)
        => [.. journal.SelectMany(j => Enumerable.Range(0, j.Value).Except(Of(j.Key)).Select(n => $"{j.Key} {n}"))];

    /// <summary>Records that are there more than once.</summary>
    public List<string> Doubled => [.. _numbers.SelectMany(n => n.Value.GroupBy(v => v).Where(g => g.Count() > 1).Select(g => $"{n.Key} {g.Key}"))];

    /// <summary>Producers whose records (first occurrences) are not in order.</summary>
    public List<string> Disordered => [.. _numbers.Where(n => !n.Value.Distinct().SequenceEqual(n.Value.Distinct().Order())).Select(n => n.Key)];

    /// <summary>Reads to the end as it is now. A topic that does not exist reads as empty.</summary>
    public static LogContent Read(string bootstrap, string topic)
    {
        var content = new LogContent();
        using var consumer = new ConsumerBuilder<string, string>(new ConsumerConfig
        {
            BootstrapServers = bootstrap, GroupId = "check", EnableAutoCommit = false, EnablePartitionEof = true, CheckCrcs = true, AllowAutoCreateTopics = false,
        }).SetLogHandler((_, _) => { }).SetErrorHandler((_, _) => { }).Build();
        using var admin = new DependentAdminClientBuilder(consumer.Handle).Build();
        var known = admin.GetMetadata(TimeSpan.FromSeconds(20)).Topics.FirstOrDefault(t => t.Topic == topic);
        if (known is null) return content;
        consumer.Assign(known.Partitions.Select(p => new TopicPartitionOffset(topic, p.PartitionId, Offset.Beginning)));
        var next = new long[known.Partitions.Count];
        for (var open = known.Partitions.Count; open > 0;)
        {
            var record = consumer.Consume(TimeSpan.FromSeconds(20)) ?? throw new TimeoutException($"The gateway sent nothing for 20 s; {content.Count} records read, {open} partitions not at their end.");
            if (record.IsPartitionEOF) open--;
            else content.Add(record, ref next[record.Partition.Value]);
        }
        return content;
    }

    void Add(ConsumeResult<string, string> record, ref long next)
    {
        Count++;
        if (record.Offset.Value != next) Damage.Add($"partition {record.Partition.Value}: offset {record.Offset.Value} where {next} was expected");
        next = record.Offset.Value + 1;
        var parts = record.Message.Value.Split(' ');
        if (parts.Length != 3 || parts[0] != record.Message.Key || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var number) || record.Message.Value != JournalingProducers.Content(parts[0], number))
        {
            Damage.Add($"partition {record.Partition.Value}, offset {record.Offset.Value}: {record.Message.Value[..Math.Min(60, record.Message.Value.Length)]}");
            return;
        }
        if (!_numbers.TryGetValue(parts[0], out var numbers)) _numbers[parts[0]] = numbers = [];
        numbers.Add(number);
    }
}
