using System.Text;
using System.Text.RegularExpressions;

namespace IotGateway.Broker.Groups.Consumer;

/// <summary>
/// A subscription by regular expression in RE2's syntax (KIP-848): matches whole topic names, in time linear in their length. RE2
/// forms .NET writes otherwise are translated: <c>(?P&lt;n&gt;</c>, <c>\pL</c>, <c>\Q…\E</c>, <c>[[:alpha:]]</c> and the like. A short text cannot take all memory: the
/// framework refuses what would make a large automaton (nested counts, thousands of alternatives), and this class long texts and those with many
/// different characters (<see cref="PatternVariety"/>). One is made at a time, and who asks for the same text again gets the same one while it is in use. Immutable.
/// </summary>
internal sealed class TopicPattern
{
    static readonly Dictionary<string, string> Classes = new(StringComparer.Ordinal)
    {
        ["alnum"] = "0-9A-Za-z", ["alpha"] = "A-Za-z", ["digit"] = "0-9", ["lower"] = "a-z", ["upper"] = "A-Z",
        ["punct"] = @"!-/:-@\[-`{-~", ["space"] = @"\t\n\v\f\r ", ["word"] = "0-9A-Za-z_", ["xdigit"] = "0-9A-Fa-f",
    };

    /// <summary>Ten topics of the longest names, and more than any line for people; the framework takes about 240 bytes a character.</summary>
    const int MostLength = 8192;

    const int MostRemembered = 64;

    static readonly Lock Making = new();
    static readonly Dictionary<string, WeakReference<TopicPattern>> Made = new(StringComparer.Ordinal);

    readonly Regex regex;

    TopicPattern(Regex regex) => this.regex = regex;

    /// <summary>Null: not a valid expression; <paramref name="error"/> says why.</summary>
    public static TopicPattern? TryParse(string text, out string? error)
    {
        error = null;
        lock (Making)
        {
            if (Made.TryGetValue(text, out var known) && known.TryGetTarget(out var same)) return same;
            if (Make(text, out error) is not { } pattern) return null;
            if (Made.Count >= MostRemembered) Forget();
            Made[text] = new(pattern);
            return pattern;
        }
    }

    /// <summary>As <see cref="TryParse"/>, made anew.</summary>
    internal static TopicPattern? Make(string text, out string? error)
    {
        error = null;
        try
        {
            if (text.Length > MostLength) throw new ArgumentException($"it is longer than {MostLength} characters.");
            var translated = Translate(text);
            PatternVariety.Check(translated);
            return new(new($@"\A(?:{translated})\z", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant));
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            error = $"SubscribedTopicRegex `{Short(text)}` is not a valid regular expression: {Short(e.Message.Replace(text, "it", StringComparison.Ordinal))}";
            return null;
        }
    }

    public bool Matches(string topic) => regex.IsMatch(topic);

    /// <summary>Those nobody uses any more; if all are in use, all: they are only made once more.</summary>
    static void Forget()
    {
        foreach (var (text, _) in Made.Where(m => !m.Value.TryGetTarget(out _)).ToList()) Made.Remove(text);
        if (Made.Count >= MostRemembered) Made.Clear();
    }

    static string Short(string text) => text.Length <= 200 ? text : text[..200] + "…";

    static string Translate(string text)
    {
        StringBuilder result = new(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            var rest = text.AsSpan(i);
            if (rest.StartsWith(@"\Q"))
            {
                var end = text.IndexOf(@"\E", i, StringComparison.Ordinal);
                result.Append(Regex.Escape(end < 0 ? text[(i + 2)..] : text[(i + 2)..end]));
                i = end < 0 ? text.Length : end + 1;
            }
            else if (rest.Length > 2 && rest[0] == '\\' && rest[1] is 'p' or 'P' && rest.Length > 2 && char.IsAsciiLetter(rest[2]))
            {
                result.Append(text, i, 2).Append('{').Append(rest[2]).Append('}');
                i += 2;
            }
            else if (rest[0] == '\\' && rest.Length > 1)
            {
                result.Append(text, i, 2);
                i++;
            }
            else if (rest.StartsWith("(?P<"))
            {
                result.Append("(?<");
                i += 3;
            }
            else if (rest.StartsWith("[:") && rest.IndexOf(":]") is var close and > 0 && Classes.TryGetValue(text[(i + 2)..(i + close)], out var members))
            {
                result.Append(members);
                i += close + 1;
            }
            else
            {
                result.Append(text[i]);
            }
        }
        return result.ToString();
    }
}
