using System.Collections.Concurrent;
using System.Globalization;

namespace IotGateway.Broker.Groups;

/// <summary>What is set of single groups (KIP-848), and the defaults of all others. Thread-safe; a change holds from a member's next heartbeat on.</summary>
internal sealed class GroupSettings(GroupOptions options)
{
    /// <summary>Kafka's names.</summary>
    public const string SessionTimeout = "consumer.session.timeout.ms", HeartbeatInterval = "consumer.heartbeat.interval.ms";

    /// <summary>
    /// Bounds of both, milliseconds. Kafka's (<c>group.consumer.min.session.timeout.ms</c> and the like) are settings of a broker and leave 45 to 60 s and 5 to
    /// 15 s by default; these, which cannot be set, leave the session what the classic protocol's may be.
    /// </summary>
    public const int LeastSession = 6_000, MostSession = 1_800_000, LeastHeartbeat = 1_000, MostHeartbeat = 15_000;

    readonly ConcurrentDictionary<string, Times> set = new(StringComparer.Ordinal);

    /// <summary>How long a member may be silent, milliseconds.</summary>
    public int SessionTimeoutMs(string group) => Of(group).Session ?? (int)options.ConsumerSessionTimeout.TotalMilliseconds;

    /// <summary>What members are told to wait between heartbeats, milliseconds.</summary>
    public int HeartbeatIntervalMs(string group) => Of(group).Heartbeat ?? (int)options.ConsumerHeartbeatInterval.TotalMilliseconds;

    /// <summary>These are a group's settings from now on; an earlier gateway took any number, so each is kept within its bounds.</summary>
    public void Set(string group, IReadOnlyDictionary<string, string> settings)
    {
        if (settings.Count == 0) set.TryRemove(group, out _);
        else set[group] = new(Number(settings, SessionTimeout) is { } session ? Math.Clamp(session, LeastSession, MostSession) : null,
            Number(settings, HeartbeatInterval) is { } heartbeat ? Math.Clamp(heartbeat, LeastHeartbeat, MostHeartbeat) : null);
    }

    /// <summary>What settings have against each other, or null: a member must be able to speak within its session.</summary>
    public string? Problem(IReadOnlyDictionary<string, string> settings)
    {
        var session = Number(settings, SessionTimeout) ?? (int)options.ConsumerSessionTimeout.TotalMilliseconds;
        var heartbeat = Number(settings, HeartbeatInterval) ?? (int)options.ConsumerHeartbeatInterval.TotalMilliseconds;
        return session > heartbeat ? null : $"{SessionTimeout} ({session}) must be greater than {HeartbeatInterval} ({heartbeat}).";
    }

    Times Of(string group) => set.GetValueOrDefault(group);

    static int? Number(IReadOnlyDictionary<string, string> settings, string name)
        => settings.TryGetValue(name, out var value) && int.TryParse(value, CultureInfo.InvariantCulture, out var number) ? number : null;

    readonly record struct Times(int? Session, int? Heartbeat);
}
