using System.Buffers;
using System.Text;
using IotGateway.Connect.EventLog;

namespace IotGateway.Connect.Records;

/// <summary>What became of a topic's name.</summary>
/// <param name="Topic">A name Kafka allows; null when there is none.</param>
/// <param name="Original">The name wished, where it had to be changed.</param>
/// <param name="Refusal">Why there is none.</param>
readonly record struct TopicName(string? Topic, string? Original, string? Refusal);

/// <summary>
/// The topics of one connector: expands the template, replaces what Kafka forbids, refuses what is no name, and counts against
/// <c>maxTopics</c>. Each name is judged once. Thread-safe.
/// </summary>
sealed class TopicNames(string template, string gateway, int maxTopics)
{
    const int MaxLength = 249; // Kafka's Topic.MAX_NAME_LENGTH
    const string BackfillSuffix = ".backfill";
    static readonly SearchValues<char> Legal = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
    readonly Dictionary<string, TopicName> _known = new(StringComparer.Ordinal);
    readonly HashSet<string> _topics = new(StringComparer.Ordinal);
    readonly Lock _lock = new();

    /// <summary>The topic of a tag's readings.</summary>
    public TopicName ForTag(string device, string tag)
    {
        if (!template.Contains("${", StringComparison.Ordinal)) return For(template);
        var slash = tag.IndexOf('/', StringComparison.Ordinal);
        // Text from data is put in once and never expanded again: a device named "${gateway}" stays that.
        return For(Expand(template, name => name switch
        {
            "device" => device,
            "tag" => tag,
            "group" => slash < 0 ? device : tag[..slash],
            "gateway" => gateway,
            _ => null,
        }));
    }

    /// <summary>The topic of an opaque record, whose connector has expanded the template.</summary>
    public TopicName For(string wished)
    {
        lock (_lock)
        {
            // What is not admitted is not remembered: a flood of names must not fill the memory.
            if (_known.TryGetValue(wished, out var known)) return known;
            var judged = Judge(wished);
            if (judged.Topic is { } topic && !_topics.Contains(topic))
            {
                if (_topics.Count >= maxTopics) return new(null, wished, $"maxTopics: this connector already has {maxTopics} topics");
                _topics.Add(topic);
            }
            if (judged.Topic is not null && _known.Count < 4 * maxTopics) _known[wished] = judged;
            return judged;
        }
    }

    /// <summary>The topic of history for a live topic, so that a live key never goes back in time.</summary>
    public TopicName Backfill(in TopicName live)
        => live.Topic is { } topic ? For(topic + BackfillSuffix) with { Original = live.Original } : live;

    static TopicName Judge(string wished)
    {
        if (wished.Length == 0) return new(null, wished, "topic: the name is empty");
        if (wished is "." or "..") return new(null, wished, "topic: '.' and '..' are no names");
        if (wished.Split('.').Any(level => level.Length == 0)) return new(null, wished, "topic: a level of the name is empty");
        if (wished.Length > MaxLength) return new(null, wished, $"topic: the name is longer than {MaxLength} characters");
        if (InternalTopics.All.Contains(wished) || wished.StartsWith("__", StringComparison.Ordinal))
            return new(null, wished, "topic: this name is the gateway's own");
        if (!wished.AsSpan().ContainsAnyExcept(Legal)) return new(wished, null, null);
        return new(string.Create(wished.Length, wished, (to, from) =>
        {
            for (var i = 0; i < to.Length; i++) to[i] = Legal.Contains(from[i]) ? from[i] : '_';
        }), wished, null);
    }

    static string Expand(string template, Func<string, string?> lookup)
    {
        var text = new StringBuilder();
        var at = 0;
        while (template.IndexOf("${", at, StringComparison.Ordinal) is >= 0 and var open && template.IndexOf('}', open) is >= 0 and var close)
        {
            text.Append(template, at, open - at);
            // What we do not know is the connector's own placeholder; in a reading it has no meaning and becomes an illegal character's '_'.
            text.Append(lookup(template[(open + 2)..close]) ?? template[open..(close + 1)]);
            at = close + 1;
        }
        return text.Append(template, at, template.Length - at).ToString();
    }
}
