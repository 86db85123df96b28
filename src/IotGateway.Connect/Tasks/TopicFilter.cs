using System.IO.Enumeration;
using IotGateway.Connect.EventLog;

namespace IotGateway.Connect.Tasks;

/// <summary>Which topics a sink delivers: names and wildcards. The gateway's own topics only by their full names. Pure.</summary>
static class TopicFilter
{
    public static Func<string, bool> Of(IReadOnlyList<string> patterns)
        => topic => patterns.Any(p => p == topic || p.Contains('*', StringComparison.Ordinal) && !IsInternal(topic) && FileSystemName.MatchesSimpleExpression(p, topic, ignoreCase: false));

    static bool IsInternal(string topic) => topic.StartsWith("__", StringComparison.Ordinal) || InternalTopics.All.Contains(topic);
}
