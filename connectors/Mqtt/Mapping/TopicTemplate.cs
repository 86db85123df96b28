using System.Globalization;
using System.Text;

namespace IotGateway.Connectors.Mqtt.Mapping;

/// <summary>
/// A text with placeholders, read once: <c>${topic}</c>, <c>${topic[2]}</c> (zero-based; a leading <c>/</c> makes level 0 empty),
/// <c>${topic[1..]}</c>, <c>${topic[0..2]}</c> (end excluded), and fixed names given at reading. What it puts in is never read again for placeholders. Immutable.
/// </summary>
sealed class TopicTemplate
{
    readonly record struct Part(string Text, Range Levels, bool IsTopic);

    readonly Part[] _parts;

    TopicTemplate(Part[] parts) => _parts = parts;

    /// <summary>Reads a template; null and a sentence when it is none.</summary>
    /// <param name="text">The text.</param>
    /// <param name="names">What <c>${name}</c> stands for, beside topic.</param>
    /// <param name="error">What is wrong, and what would be right.</param>
    public static TopicTemplate? TryParse(string text, IReadOnlyDictionary<string, string> names, out string? error)
    {
        error = null;
        var parts = new List<Part>();
        for (var at = 0; at < text.Length;)
        {
            var open = text.IndexOf("${", at, StringComparison.Ordinal);
            if (open != at) parts.Add(new(open < 0 ? text[at..] : text[at..open], default, false));
            if (open < 0) break;
            var close = text.IndexOf('}', open);
            if (close < 0)
            {
                error = $"'{text}' has '${{' without '}}'.";
                return null;
            }
            var name = text[(open + 2)..close];
            if (names.TryGetValue(name, out var fixedText)) parts.Add(new(fixedText, default, false));
            else if (name == "topic") parts.Add(new("", .., true));
            else if (TryLevels(name, out var levels)) parts.Add(new("", levels, true));
            else
            {
                error = $"'${{{name}}}' is not known; allowed are ${{topic}}, ${{topic[2]}}, ${{topic[1..]}}, {string.Join(", ", names.Keys.Order().Select(n => $"${{{n}}}"))}.";
                return null;
            }
            at = close + 1;
        }
        return new([.. parts]);
    }

    static bool TryLevels(string name, out Range levels)
    {
        levels = default;
        if (!name.StartsWith("topic[", StringComparison.Ordinal) || !name.EndsWith(']')) return false;
        var inner = name["topic[".Length..^1];
        var dots = inner.IndexOf("..", StringComparison.Ordinal);
        if (dots < 0)
        {
            if (!TryIndex(inner, out var one)) return false;
            levels = one..(one + 1);
            return true;
        }
        var end = Index.End;
        if (!TryIndex(inner[..dots], out var start)) return false;
        if (dots + 2 < inner.Length)
        {
            if (!TryIndex(inner[(dots + 2)..], out var stop) || stop <= start) return false;
            end = stop;
        }
        levels = start..end;
        return true;
    }

    static bool TryIndex(string text, out int index) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out index) && index < 65_536;

    /// <summary>The text for a topic.</summary>
    /// <param name="topic">The MQTT topic.</param>
    /// <param name="missing">The first placeholder for which the topic has no level, or an empty one; null when all were there.</param>
    public string Expand(string topic, out string? missing)
    {
        missing = null;
        if (_parts is [{ IsTopic: true } only] && only.Levels.Equals(Range.All)) return topic;
        var text = new StringBuilder();
        foreach (var part in _parts)
        {
            if (!part.IsTopic)
            {
                text.Append(part.Text);
                continue;
            }
            var slice = Slice(topic, part.Levels);
            if (slice.IsEmpty) missing ??= $"topic[{part.Levels.Start.Value}{(part.Levels.End.IsFromEnd ? ".." : "")}]";
            text.Append(slice);
        }
        return text.ToString();
    }

    /// <summary>Levels of a topic with the slashes between them.</summary>
    static ReadOnlySpan<char> Slice(string topic, Range levels)
    {
        var start = Level(topic, levels.Start.Value, 0);
        if (start < 0) return default;
        if (levels.End.IsFromEnd) return topic.AsSpan(start);
        var end = Level(topic, levels.End.Value - levels.Start.Value, start);
        return end < 0 ? topic.AsSpan(start) : topic.AsSpan(start, end - 1 - start);
    }

    /// <summary>Where the level <paramref name="skip"/> further than <paramref name="at"/> begins; -1 when there is none.</summary>
    static int Level(string topic, int skip, int at)
    {
        for (; skip > 0; skip--)
        {
            var slash = topic.IndexOf('/', at);
            if (slash < 0) return -1;
            at = slash + 1;
        }
        return at;
    }
}
