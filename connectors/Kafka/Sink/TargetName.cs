namespace IotGateway.Connectors.Kafka.Sink;

/// <summary>What a topic is called in the target cluster. Pure.</summary>
static class TargetName
{
    /// <summary>Kafka's limit (org.apache.kafka.common.internals.Topic).</summary>
    const int MaxLength = 249;

    /// <summary>What is wrong with a template, or null.</summary>
    public static string? Problem(string template)
    {
        if (!template.Contains("${topic}", StringComparison.Ordinal) && template.Contains("${", StringComparison.Ordinal) && !template.Contains("${gateway}", StringComparison.Ordinal))
            return $"'{template}': known words are ${{topic}} and ${{gateway}}.";
        var rest = template.Replace("${topic}", "t", StringComparison.Ordinal).Replace("${gateway}", "g", StringComparison.Ordinal);
        return IsName(rest) ? null : $"'{template}': besides ${{topic}} and ${{gateway}} a topic name may hold letters, digits, '.', '_' and '-'.";
    }

    /// <summary>The name, or null when Kafka would not take it.</summary>
    public static string? Expand(string template, string topic, string gateway)
    {
        // One pass: text that came from a topic's name is not expanded again.
        var parts = template.Split("${topic}").Select(p => p.Replace("${gateway}", gateway, StringComparison.Ordinal));
        var name = string.Join(topic, parts);
        return name.Length <= MaxLength && IsName(name) ? name : null;
    }

    static bool IsName(string name) => name.Length > 0 && name is not ("." or "..") && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
}
