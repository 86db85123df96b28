using System.Buffers.Binary;
using System.Collections;
using System.Globalization;
using System.Reflection;

namespace IotGateway.Broker.Tests.AgainstKafka;

/// <summary>
/// What a broker answered, as lines of "path = value" that do not differ for what every broker chooses by itself: ids are numbered in the order in which they are
/// first seen, times of today are "now". Left out: texts of errors, throttling, addresses, sizes on disk. One for each broker, for the whole of a dialogue.
/// </summary>
sealed class Told
{
    static readonly string[] LeftOut = ["ThrottleTimeMs", "ErrorMessage", "BatchIndexErrorMessage", "Host", "Port", "Rack", "ClusterId", "LogDir", "TotalBytes", "UsableBytes", "Size"];
    static readonly string[] Names = ["Name", "Topic", "TransactionalId", "PartitionIndex", "Index", "ProducerId"];
    readonly Dictionary<object, string> _names = [];
    bool _byName, _sorted;

    /// <summary>The lines of a message.</summary>
    /// <param name="message">An answer.</param>
    /// <param name="byName">What has a name is told under it, not under its place in its list.</param>
    /// <param name="sorted">Lists are told by what is in them, not in their order.</param>
    public List<string> Lines(object message, bool byName = false, bool sorted = false)
    {
        (_byName, _sorted) = (byName, sorted);
        var lines = new List<string>();
        Add(lines, "", "", message);
        return lines;
    }

    void Add(List<string> lines, string path, string property, object? value)
    {
        switch (value)
        {
            case null:
                lines.Add($"{path} = null");
                break;
            case string or bool or Guid or IFormattable:
                lines.Add($"{path} = {Plain(property, value)}");
                break;
            case ReadOnlyMemory<byte> bytes:
                lines.Add($"{path} = {(property == "Records" ? string.Join(", ", Batches(bytes.Span)) : Convert.ToHexString(bytes.Span))}");
                break;
            case IEnumerable items:
                var count = 0;
                foreach (var item in _sorted ? items.Cast<object>().OrderBy(i => Whole(property, i), StringComparer.Ordinal) : items)
                {
                    Add(lines, $"{path}[{(_byName || property == "Configs" ? Key(item) ?? $"{count}" : count)}]", property, item);
                    count++;
                }
                if (count == 0) lines.Add($"{path} = []");
                break;
            default:
                // An error comes with the number 0 for an id, which is none.
                var failed = value.GetType().GetProperty("ErrorCode")?.GetValue(value) is short and not 0;
                foreach (var field in value.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
                    if (!LeftOut.Contains(field.Name)) Add(lines, $"{path}.{field.Name}", failed && field.Name == "ProducerId" ? "" : field.Name, field.GetValue(value));
                break;
        }
    }

    // Settings are told in an order of names; which of them there are is compared, not at which place.
    string? Key(object item)
    {
        if (item is int number) return number.ToString(CultureInfo.InvariantCulture);
        foreach (var name in Names)
            if (item.GetType().GetProperty(name)?.GetValue(item) is { } value) return Plain(name, value).Trim('"');
        return null;
    }

    string Whole(string property, object item)
    {
        var lines = new List<string>();
        Add(lines, "", property, item);
        return string.Join('\n', lines);
    }

    string Plain(string property, object value)
    {
        if (value is Guid id) return id == Guid.Empty ? "none" : Name("id", id);
        if (value is string text) return text.Length > 0 && property is "MemberId" or "LeaderId" or "Leader" ? Name("member", text) : $"\"{text}\"";
        if (value is long number)
        {
            if (property == "ProducerId" && number >= 0) return Name("producer", number);
            if (Math.Abs(number - TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds()) < 600_000) return "now";
        }
        if (property == "SessionId" && value is int and not 0) return Name("session", value);
        return Convert.ToString(value, CultureInfo.InvariantCulture)!;
    }

    string Name(string kind, object value)
    {
        if (!_names.TryGetValue((kind, value), out var name)) _names[(kind, value)] = name = $"{kind} {_names.Keys.Count(k => k is (string of, _) && of == kind) + 1}";
        return name;
    }

    // Magic 2 (KIP-98); what an answer cuts off is told as such.
    List<string> Batches(ReadOnlySpan<byte> bytes)
    {
        var told = new List<string>();
        while (bytes.Length >= 61)
        {
            var length = 12 + BinaryPrimitives.ReadInt32BigEndian(bytes[8..]);
            if (length > bytes.Length) break;
            var producer = BinaryPrimitives.ReadInt64BigEndian(bytes[43..]);
            told.Add(string.Create(CultureInfo.InvariantCulture, $"batch {BinaryPrimitives.ReadInt64BigEndian(bytes)}+{BinaryPrimitives.ReadInt32BigEndian(bytes[23..])} attributes {BinaryPrimitives.ReadInt16BigEndian(bytes[21..]):x} ")
                + $"{(producer < 0 ? "nobody" : Name("producer", producer))} epoch {BinaryPrimitives.ReadInt16BigEndian(bytes[51..])} sequence {BinaryPrimitives.ReadInt32BigEndian(bytes[53..])} records {BinaryPrimitives.ReadInt32BigEndian(bytes[57..])}");
            bytes = bytes[length..];
        }
        if (bytes.Length > 0) told.Add("a part of a batch");
        return told;
    }
}
