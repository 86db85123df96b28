using System.Globalization;
using Confluent.Kafka;

namespace Acceptance.Tests.Kill;

/// <summary>
/// What is read of <see cref="JournalingProducers"/>: of every producer the numbers 0, 1, 2, … without a gap, none twice, each with its one content.
/// Not thread-safe.
/// </summary>
sealed class Sequences(Action<string> fail)
{
    readonly Dictionary<string, int> _next = new(StringComparer.Ordinal);
    readonly HashSet<string> _unsure = new(StringComparer.Ordinal);

    /// <summary>Records taken.</summary>
    public long Count { get; private set; }

    /// <summary>Takes the next record of a partition.</summary>
    public void Take(ConsumeResult<string, string> record)
    {
        Count++;
        var parts = record.Message.Value.Split(' ');
        if (parts.Length != 3 || parts[0] != record.Message.Key || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || record.Message.Value != JournalingProducers.Content(parts[0], number))
        {
            fail($"{record.TopicPartitionOffset} is damaged: {record.Message.Value[..Math.Min(60, record.Message.Value.Length)]}");
            return;
        }
        var expected = _next.GetValueOrDefault(parts[0]);
        var sure = !_unsure.Remove(parts[0]);
        if (number < expected) fail($"{record.TopicPartitionOffset}: {parts[0]} {number} is there twice or out of order; expected {expected}");
        else if (number > expected && sure) fail($"{record.TopicPartitionOffset}: {parts[0]} {expected} to {number - 1} are lost");
        _next[parts[0]] = Math.Max(expected, number + 1);
    }

    /// <summary>Records were deleted before they were taken: which numbers come next is open.</summary>
    public void Jumped(IEnumerable<string> producers) => _unsure.UnionWith(producers);

    /// <summary>Fails for what a journal of an earlier moment has and was not taken.</summary>
    public void Compare(IReadOnlyDictionary<string, int> journal)
    {
        foreach (var (producer, acknowledged) in journal)
        {
            var next = _next.GetValueOrDefault(producer);
            if (next < acknowledged && !_unsure.Contains(producer)) fail($"{producer} {next} to {acknowledged - 1} were acknowledged and are lost");
        }
    }
}
