using System.Globalization;
using System.Text;

namespace IotGateway.Connectors.Mqtt.Mapping;

/// <summary>
/// A text with placeholders, read once: <c>${topic}</c>, <c>${topic[2]}</c> (zero-based; a leading <c>/</c> makes level 0 empty),
/// <c>${topic[1..]}</c>, <c>${topic[0..2]}</c> (end excluded), fixed names given at reading, and what an <see cref="ITemplateSource"/> knows of one
/// message, such as <c>${payload.site}</c>. What it puts in is never read again for placeholders. Immutable.
/// </summary>
sealed class TopicTemplate
{
    readonly record struct Part(string Text, Range Levels = default, bool IsTopic = false, string? Source = null, JsonPath? Path = null);

    readonly Part[] _parts;
    readonly char _separator;

    TopicTemplate(Part[] parts, char separator) => (_parts, _separator) = (parts, separator);

    /// <summary>Whether it speaks of more than the topic.</summary>
    public bool IsVarying => Array.Exists(_parts, p => p.Source is not null);

    /// <summary>Whether it speaks of fields of a JSON payload.</summary>
    public bool NeedsJson => Array.Exists(_parts, p => p.Path is not null);

    /// <summary>Reads a template; null and a sentence when it is none.</summary>
    /// <param name="text">The text.</param>
    /// <param name="names">What <c>${name}</c> stands for, beside topic.</param>
    /// <param name="error">What is wrong, and what would be right.</param>
    /// <param name="sources">What may vary from message to message: <c>name</c>, or <c>payload.*</c> with an argument. Default: what messages have.</param>
    /// <param name="separator">What separates the levels of a topic.</param>
    public static TopicTemplate? TryParse(string text, IReadOnlyDictionary<string, string> names, out string? error, IReadOnlyList<string>? sources = null, char separator = '/')
    {
        sources ??= Placeholders.OfMessages;
        error = null;
        var parts = new List<Part>();
        for (var at = 0; at < text.Length;)
        {
            var open = text.IndexOf("${", at, StringComparison.Ordinal);
            if (open != at) parts.Add(new(open < 0 ? text[at..] : text[at..open]));
            if (open < 0) break;
            var close = text.IndexOf('}', open);
            if (close < 0)
            {
                error = $"'{text}' has '${{' without '}}'.";
                return null;
            }
            var name = text[(open + 2)..close];
            if (names.TryGetValue(name, out var fixedText)) parts.Add(new(fixedText));
            else if (name == "topic") parts.Add(new("", .., true));
            else if (TryLevels(name, out var levels)) parts.Add(new("", levels, true));
            else if (TrySource(name, sources) is { } part) parts.Add(part);
            else
            {
                error = $"'${{{name}}}' is not known; allowed are ${{topic}}, ${{topic[2]}}, ${{topic[1..]}}, {string.Join(", ", names.Keys.Concat(sources).Order().Select(n => $"${{{n}}}"))}.";
                return null;
            }
            at = close + 1;
        }
        return new([.. parts], separator);
    }

    static Part? TrySource(string name, IReadOnlyList<string> sources)
    {
        if (sources.Contains(name)) return new("", Source: name);
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        if (dot < 1 || dot == name.Length - 1 || !sources.Contains(name[..dot] + ".*")) return null;
        var (source, argument) = (name[..dot], name[(dot + 1)..]);
        if (source is not ("payload" or "element")) return new(argument, Source: source);
        return JsonPath.TryParse("$." + argument, out _) is { HasWildcard: false } path ? new(argument, Source: source, Path: path) : null;
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
    /// <param name="source">What the placeholders beside the topic stand for; needed when <see cref="IsVarying"/>.</param>
    public string Expand(string topic, out string? missing, ITemplateSource? source = null)
    {
        missing = null;
        if (_parts is [{ IsTopic: true } only] && only.Levels.Equals(Range.All)) return topic;
        var text = new StringBuilder();
        foreach (var part in _parts)
        {
            if (part.Source is { } from)
            {
                var found = source?.Get(from, part.Text, part.Path);
                if (string.IsNullOrEmpty(found)) missing ??= part.Text.Length > 0 ? $"{from}.{part.Text}" : from;
                text.Append(found);
                continue;
            }
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

    /// <summary>Levels of a topic with the separators between them.</summary>
    ReadOnlySpan<char> Slice(string topic, Range levels)
    {
        var start = Level(topic, levels.Start.Value, 0);
        if (start < 0) return default;
        if (levels.End.IsFromEnd) return topic.AsSpan(start);
        var end = Level(topic, levels.End.Value - levels.Start.Value, start);
        return end < 0 ? topic.AsSpan(start) : topic.AsSpan(start, end - 1 - start);
    }

    /// <summary>Where the level <paramref name="skip"/> further than <paramref name="at"/> begins; -1 when there is none.</summary>
    int Level(string topic, int skip, int at)
    {
        for (; skip > 0; skip--)
        {
            var slash = topic.IndexOf(_separator, at);
            if (slash < 0) return -1;
            at = slash + 1;
        }
        return at;
    }
}
