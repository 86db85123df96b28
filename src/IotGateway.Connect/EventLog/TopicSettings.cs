using System.Globalization;
using System.IO.Enumeration;
using IotGateway.Connect.Configs;
using IotGateway.Log;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.EventLog;

/// <summary>How a topic is made: the gateway's own as they must be, all others by the first rule of gateway.json that matches. Pure.</summary>
public static class TopicSettings
{
    // A dead letter holds what was too large for its own topic.
    const string DeadLetterBytes = "16777216";

    internal const string DurabilitySetting = "iotgateway.durability";

    const string LaneSetting = "iotgateway.lane";

    /// <summary>Only closed segments are compacted: small ones, so that these topics stay near one record per key.</summary>
    const string CompactedSegmentBytes = "1048576";

    /// <summary>Partitions and configuration of a topic that is about to be made.</summary>
    /// <param name="gateway">gateway.json.</param>
    /// <param name="topic">The topic's name.</param>
    /// <param name="lane">Priority wished by who writes to it; a rule overrides it.</param>
    public static (int Partitions, TopicConfig Config) For(GatewayConfig gateway, string topic, Lane lane)
    {
        ArgumentNullException.ThrowIfNull(gateway);
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        var partitions = gateway.Broker.DefaultPartitions;
        if (InternalTopics.All.Contains(topic))
        {
            (partitions, lane) = (1, Lane.High);
            settings[DurabilitySetting] = "fsync";
            if (topic is InternalTopics.Gaps or InternalTopics.Health)
            {
                settings["cleanup.policy"] = "compact";
                settings["segment.bytes"] = CompactedSegmentBytes;
            }
            if (topic == InternalTopics.DeadLetters) settings["max.message.bytes"] = DeadLetterBytes;
        }
        if (Rule(gateway.Topics, topic) is { Partitions: { } wished } && !InternalTopics.All.Contains(topic)) partitions = wished;
        if (lane != Lane.Normal) settings[LaneSetting] = Name(lane);
        foreach (var (name, value) in Ruled(gateway.Topics, topic)) settings[name] = value;
        if (settings.GetValueOrDefault(LaneSetting) == Name(Lane.Normal)) settings.Remove(LaneSetting); // as it is without
        return (partitions, new() { Settings = settings });
    }

    /// <summary>A durability of gateway.json in the words of <c>iotgateway.durability</c>: an interval in whole milliseconds, <c>interval:0.5s</c> as <c>interval:500ms</c>.</summary>
    /// <exception cref="ArgumentException">It is none that gateway.json allows.</exception>
    public static string Durability(string text)
        => DurabilityAttribute.InLog(text) ?? throw new ArgumentException($"durability: '{text}' is none of fsync, os, interval:TIME (whole milliseconds from 1ms to 1h).");

    /// <summary>What the first of these rules that matches says of a topic's settings.</summary>
    internal static Dictionary<string, string> Ruled(IReadOnlyList<TopicRule> rules, string topic)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        if (Rule(rules, topic) is not { } rule) return settings;
        if (rule.Durability is { } durability && !InternalTopics.All.Contains(topic)) settings[DurabilitySetting] = Durability(durability);
        if (rule.Lane is { } lane) settings[LaneSetting] = Name(lane);
        if (rule.Compression is { } compression) settings["compression.type"] = compression;
        if (rule.Retention?.Time is { } time) settings["retention.ms"] = ((long)time.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
        if (rule.Retention?.Size is { } size) settings["retention.bytes"] = size.Bytes.ToString(CultureInfo.InvariantCulture);
        return settings;
    }

    static TopicRule? Rule(IReadOnlyList<TopicRule> rules, string topic) => rules.FirstOrDefault(r => FileSystemName.MatchesSimpleExpression(r.Match, topic, ignoreCase: false));

    static string Name(Lane lane) => lane switch { Lane.High => "high", Lane.Low => "low", _ => "normal" };
}
