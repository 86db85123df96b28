using System.Globalization;
using System.Text.Json;

namespace IotGateway.Connectors.Mqtt.Mapping;

/// <summary>
/// A path into a JSON payload: <c>$.values.temperature</c>, <c>$['odd name']</c>, <c>$.list[0]</c>, all elements <c>[*]</c>, all members
/// <c>.*</c>. It begins with <c>$</c>, the payload, or <c>@</c>, the element the last wildcard matched. A subset of RFC 9535. Immutable;
/// the work is bounded by path length times payload.
/// </summary>
sealed class JsonPath
{
    enum Kind { Member, Index, AnyIndex, AnyMember }

    readonly record struct Step(Kind Kind, string Name, int Index);

    readonly Step[] _steps;
    readonly string _text;

    JsonPath(string text, Step[] steps) => (_text, _steps, LastName) = (text, steps, steps.LastOrDefault(s => s.Kind == Kind.Member).Name);

    /// <summary>Whether it begins at the element, <c>@</c>.</summary>
    public bool IsRelative => _text[0] == '@';

    /// <summary>Whether it may match more than one value.</summary>
    public bool HasWildcard => Array.Exists(_steps, s => s.Kind is Kind.AnyIndex or Kind.AnyMember);

    /// <summary>The last member named in it; null when there is none.</summary>
    public string? LastName { get; }

    /// <summary>Reads a path; null and a sentence when it is none.</summary>
    public static JsonPath? TryParse(string text, out string? error)
    {
        error = $"'{text}' is no path into a payload; write for instance $.values.temperature, $.list[0], $.list[*].value or $.metrics.*";
        if (text is not ['$' or '@', ..] || text.Length > 1_000) return null;
        var steps = new List<Step>();
        for (var at = 1; at < text.Length;)
            if (!TryStep(text, ref at, out var step)) return null;
            else steps.Add(step);
        error = null;
        return new(text, [.. steps]);
    }

    static bool TryStep(string text, ref int at, out Step step)
    {
        step = default;
        if (text[at] == '.')
        {
            var start = ++at;
            while (at < text.Length && text[at] is not ('.' or '[')) at++;
            var name = text[start..at];
            step = name == "*" ? new(Kind.AnyMember, "", 0) : new(Kind.Member, name, 0);
            return name.Length > 0;
        }
        if (text[at] != '[' || at + 1 >= text.Length) return false;
        var quoted = text[at + 1] is '\'' or '"';
        var close = quoted ? text.IndexOf(text[at + 1] + "]", at + 2, StringComparison.Ordinal) : text.IndexOf(']', at);
        if (close < 0) return false;
        var inner = quoted ? text[(at + 2)..close] : text[(at + 1)..close];
        at = close + (quoted ? 2 : 1);
        if (quoted) step = new(Kind.Member, inner, 0);
        else if (inner == "*") step = new(Kind.AnyIndex, "", 0);
        else if (int.TryParse(inner, NumberStyles.None, CultureInfo.InvariantCulture, out var index)) step = new(Kind.Index, "", index);
        else return false;
        return true;
    }

    /// <summary>The one value a path without wildcards names; false when there is none.</summary>
    public bool TryFind(JsonElement from, out JsonElement value)
    {
        value = from;
        foreach (var step in _steps)
            if (!TryWalk(value, step, out value)) return false;
        return true;
    }

    /// <summary>Everything the path matches, in the payload's order.</summary>
    public List<JsonMatch> Find(JsonElement root)
    {
        List<JsonMatch> found = [new(root, root, LastName)];
        foreach (var step in _steps)
        {
            List<JsonMatch> next = new(found.Count);
            foreach (var match in found) Walk(match, step, next);
            found = next;
        }
        return found;
    }

    static void Walk(JsonMatch at, Step step, List<JsonMatch> found)
    {
        switch (step.Kind)
        {
            case Kind.AnyIndex when at.Value.ValueKind == JsonValueKind.Array:
                foreach (var item in at.Value.EnumerateArray()) found.Add(new(item, item, at.Name));
                break;
            case Kind.AnyMember when at.Value.ValueKind == JsonValueKind.Object:
                foreach (var member in at.Value.EnumerateObject()) found.Add(new(member.Value, member.Value, member.Name));
                break;
            case Kind.Member or Kind.Index when TryWalk(at.Value, step, out var value):
                found.Add(at with { Value = value });
                break;
        }
    }

    static bool TryWalk(JsonElement from, Step step, out JsonElement to)
    {
        to = default;
        if (step.Kind == Kind.Member) return from.ValueKind == JsonValueKind.Object && from.TryGetProperty(step.Name, out to);
        if (step.Kind != Kind.Index || from.ValueKind != JsonValueKind.Array || step.Index >= from.GetArrayLength()) return false;
        to = from[step.Index];
        return true;
    }

    public override string ToString() => _text;
}

/// <summary>One value a path matched.</summary>
/// <param name="Value">The value.</param>
/// <param name="Element">What the last wildcard matched; the payload when the path has none.</param>
/// <param name="Name">The member the last <c>.*</c> matched; else the last one the path names; null when it names none.</param>
readonly record struct JsonMatch(JsonElement Value, JsonElement Element, string? Name);
