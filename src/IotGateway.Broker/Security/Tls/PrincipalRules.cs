using System.Text.RegularExpressions;

namespace IotGateway.Broker.Security.Tls;

/// <summary>
/// Makes a user's name of a certificate's subject, by Kafka's rules: <c>RULE:pattern/replacement/</c>, with L or U at the end for lower or
/// upper case, and <c>DEFAULT</c> for the subject as it is. A pattern must match all of the subject. Immutable, thread-safe.
/// </summary>
internal sealed partial class PrincipalRules
{
    static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(100); // a client writes its own subject; the pattern is ours
    readonly List<(Regex? Pattern, string Replacement, string Case)> _rules = [];

    /// <exception cref="ArgumentException">A rule is none.</exception>
    public PrincipalRules(IReadOnlyList<string> rules)
    {
        foreach (var rule in rules)
        {
            if (rule == "DEFAULT")
            {
                _rules.Add((null, "", ""));
                continue;
            }
            var parts = Shape().Match(rule);
            if (!parts.Success) throw new ArgumentException($"'{rule}' is no rule; write DEFAULT or RULE:pattern/replacement/ with L or U at the end.");
            var pattern = parts.Groups["pattern"].Value.Replace(@"\/", "/", StringComparison.Ordinal);
            _rules.Add((new($"^(?:{pattern})$", RegexOptions.CultureInvariant, Patience), parts.Groups["replacement"].Value.Replace(@"\/", "/", StringComparison.Ordinal), parts.Groups["case"].Value));
        }
    }

    /// <summary>The user's name; null when no rule fits, and then nobody gets in.</summary>
    public string? Apply(string subject)
    {
        foreach (var (pattern, replacement, letters) in _rules)
        {
            if (pattern is null) return subject;
            if (Result(pattern, subject, replacement) is not { } name) continue;
            return letters switch { "L" => name.ToLowerInvariant(), "U" => name.ToUpperInvariant(), _ => name };
        }
        return null;
    }

    static string? Result(Regex pattern, string subject, string replacement)
    {
        try
        {
            var match = pattern.Match(subject);
            return match.Success ? match.Result(replacement) : null;
        }
        catch (RegexMatchTimeoutException)
        {
            return null;
        }
    }

    [GeneratedRegex(@"^RULE:(?<pattern>(?:\\.|[^\\/])+)/(?<replacement>(?:\\.|[^\\/])*)/(?<case>[LU]?)$")]
    private static partial Regex Shape();
}
