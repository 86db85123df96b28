using System.Globalization;
using IotGateway.Log;

namespace IotGateway.Broker.Server;

/// <summary>What becomes of a setting.</summary>
internal enum Treatment
{
    /// <summary>It does what Kafka's does.</summary>
    Honoured,
    /// <summary>It is kept and told, and changes nothing: it speaks of replicas, tiers or tuning, which this log does not have.</summary>
    Stored,
}

/// <summary>Type of a setting; the numbers are those of DescribeConfigs (KIP-569).</summary>
internal enum SettingType : sbyte
{
    Boolean = 1,
    String = 2,
    Int = 3,
    Long = 5,
    Double = 6,
    List = 7,
}

/// <summary>A topic's setting.</summary>
internal sealed record Setting(string Name, SettingType Type, string Default, Treatment Treatment)
{
    /// <summary>Least value of a number.</summary>
    public long Least { get; init; } = long.MinValue;

    /// <summary>Greatest value of a number.</summary>
    public long Most { get; init; } = long.MaxValue;

    /// <summary>What else a value is asked; what is wrong with it, or null.</summary>
    public Func<string, string?>? Check { get; init; }

    /// <summary>Why it changes nothing here, where it is only stored.</summary>
    public string Why { get; init; } = "";

    /// <summary>The texts allowed, or null.</summary>
    public IReadOnlyList<string>? Choices { get; init; }

    /// <summary>What is wrong with a value, or null.</summary>
    public string? Problem(string value)
    {
        var fits = Type switch
        {
            SettingType.Boolean => value is "true" or "false",
            SettingType.Int => int.TryParse(value, out var number) && number >= Least && number <= Most,
            SettingType.Long => long.TryParse(value, out var number) && number >= Least && number <= Most,
            SettingType.Double => double.TryParse(value, out var number) && number is >= 0 and <= 1,
            SettingType.List => Choices is null || value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).All(Choices.Contains),
            _ => Choices is null || Choices.Contains(value),
        };
        if (fits) return Check?.Invoke(value);
        var allowed = Choices is not null ? string.Join(", ", Choices)
            : Most != long.MaxValue ? $"a number from {Least} to {Most}"
            : Least != long.MinValue ? $"a number of at least {Least}"
            : Type.ToString().ToLowerInvariant();
        return $"Invalid value '{value}' for {Name}; allowed: {allowed}.";
    }
}

/// <summary>
/// All settings a topic can have: Kafka 4.3's and the gateway's own. Any other is refused. Defaults are Kafka's, but for smaller
/// segments and no bound on timestamps in the future: a device with a wrong clock must not lose its data.
/// </summary>
internal static class TopicSettings
{
    const string Never = "9223372036854775807";

    public static IReadOnlyList<Setting> All { get; } =
    [
        new("cleanup.policy", SettingType.List, "delete", Treatment.Honoured) { Choices = ["delete", "compact"] },
        new("compression.gzip.level", SettingType.Int, "-1", Treatment.Honoured) { Least = -1 },
        new("compression.lz4.level", SettingType.Int, "9", Treatment.Honoured) { Least = 1 },
        new("compression.type", SettingType.String, "producer", Treatment.Honoured) { Choices = ["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"] },
        new("compression.zstd.level", SettingType.Int, "3", Treatment.Honoured) { Least = -131072 },
        new("delete.retention.ms", SettingType.Long, "86400000", Treatment.Honoured) { Least = 0 },
        new("file.delete.delay.ms", SettingType.Long, "60000", Treatment.Stored) { Least = 0, Why = "files go with the next checkpoint, when nobody may read them any more" },
        new("flush.messages", SettingType.Long, Never, Treatment.Stored) { Least = 1, Why = "exceeded: nothing is acknowledged before it is on disk; `iotgateway.durability` decides otherwise" },
        new("flush.ms", SettingType.Long, Never, Treatment.Stored) { Least = 0, Why = "exceeded, as `flush.messages`; with `iotgateway.durability=interval:…` that interval counts" },
        new("follower.replication.throttled.replicas", SettingType.List, "", Treatment.Stored) { Why = "one replica" },
        new("index.interval.bytes", SettingType.Int, "4096", Treatment.Honoured) { Least = 0 },
        new("iotgateway.durability", SettingType.String, "fsync", Treatment.Honoured),
        new("iotgateway.lane", SettingType.String, "normal", Treatment.Honoured) { Choices = ["low", "normal", "high"] },
        new("leader.replication.throttled.replicas", SettingType.List, "", Treatment.Stored) { Why = "one replica" },
        new("local.retention.bytes", SettingType.Long, "-2", Treatment.Stored) { Least = -2, Why = "no tiered storage" },
        new("local.retention.ms", SettingType.Long, "-2", Treatment.Stored) { Least = -2, Why = "no tiered storage" },
        new("max.compaction.lag.ms", SettingType.Long, Never, Treatment.Honoured) { Least = 1 },
        new("max.message.bytes", SettingType.Int, "1048588", Treatment.Honoured) { Least = 0 },
        new("message.timestamp.after.max.ms", SettingType.Long, Never, Treatment.Honoured) { Least = 0 },
        new("message.timestamp.before.max.ms", SettingType.Long, Never, Treatment.Honoured) { Least = 0 },
        new("message.timestamp.type", SettingType.String, "CreateTime", Treatment.Honoured) { Choices = ["CreateTime", "LogAppendTime"] },
        new("min.cleanable.dirty.ratio", SettingType.Double, "0.5", Treatment.Honoured),
        new("min.compaction.lag.ms", SettingType.Long, "0", Treatment.Honoured) { Least = 0 },
        new("min.insync.replicas", SettingType.Int, "1", Treatment.Stored) { Least = 1, Why = "one replica" },
        new("preallocate", SettingType.Boolean, "false", Treatment.Stored) { Why = "space is taken ahead by the write-ahead log, which every byte passes first" },
        new("remote.log.copy.disable", SettingType.Boolean, "false", Treatment.Stored) { Why = "no tiered storage" },
        new("remote.log.delete.on.disable", SettingType.Boolean, "false", Treatment.Stored) { Why = "no tiered storage" },
        new("remote.storage.enable", SettingType.Boolean, "false", Treatment.Stored) { Why = "no tiered storage; `true` is refused" },
        new("retention.bytes", SettingType.Long, "-1", Treatment.Honoured) { Least = -1 },
        new("retention.ms", SettingType.Long, "604800000", Treatment.Honoured) { Least = -1 },
        new("segment.bytes", SettingType.Int, "134217728", Treatment.Honoured) { Least = 1048576 },
        new("segment.index.bytes", SettingType.Int, "10485760", Treatment.Stored) { Least = 4, Why = "indexes are not mapped into memory nor made large ahead: they need no bound but `segment.bytes`" },
        new("segment.jitter.ms", SettingType.Long, "0", Treatment.Honoured) { Least = 0 },
        new("segment.ms", SettingType.Long, "604800000", Treatment.Honoured) { Least = 1 },
        new("unclean.leader.election.enable", SettingType.Boolean, "false", Treatment.Stored) { Why = "one replica" },
    ];

    static readonly Dictionary<string, Setting> ByName = All.ToDictionary(s => s.Name);

    public static Setting? Find(string name) => ByName.GetValueOrDefault(name);

    /// <summary>The value of a setting the topic does not set itself: what the log goes by, else the default.</summary>
    public static string InForce(Setting setting, TopicRules rules)
    {
        long? number = setting.Name switch
        {
            "max.message.bytes" => rules.MaxMessageBytes,
            "message.timestamp.after.max.ms" => rules.TimestampAfterMaxMs,
            "message.timestamp.before.max.ms" => rules.TimestampBeforeMaxMs,
            "retention.bytes" => rules.RetentionBytes,
            "retention.ms" => rules.RetentionMs,
            "segment.bytes" => rules.SegmentBytes,
            "segment.ms" => rules.SegmentMs,
            _ => null,
        };
        return number?.ToString(CultureInfo.InvariantCulture) ?? setting.Default;
    }

    /// <summary>What is wrong with some settings, or null.</summary>
    public static string? Problem(IEnumerable<KeyValuePair<string, string>> settings)
    {
        foreach (var (name, value) in settings)
        {
            if (Find(name) is not { } setting) return $"Unknown topic config name: {name}";
            if (name == "remote.storage.enable" && value == "true") return "There is no tiered storage here: remote.storage.enable must be false.";
            if (setting.Problem(value) is { } problem) return problem;
        }
        var all = new Dictionary<string, string>(settings);
        string InForce(string name) => all.GetValueOrDefault(name, Find(name)!.Default);
        if (long.Parse(InForce("min.compaction.lag.ms"), CultureInfo.InvariantCulture) > long.Parse(InForce("max.compaction.lag.ms"), CultureInfo.InvariantCulture))
            return "min.compaction.lag.ms is more than max.compaction.lag.ms.";
        return Refusal(new() { Settings = all });
    }

    /// <summary>What the log itself has against a configuration, or null.</summary>
    static string? Refusal(TopicConfig config)
    {
        try
        {
            TopicRules.Parse(config);
            return null;
        }
        catch (ArgumentException refused)
        {
            return refused.Message;
        }
    }
}
