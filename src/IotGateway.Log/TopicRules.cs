using System.Globalization;
using IotGateway.Log.Records;
using IotGateway.Log.Records.Packers;

namespace IotGateway.Log;

/// <summary>What a topic's configuration means to the log: its own settings over the defaults'. Immutable.</summary>
public sealed record TopicRules
{
    /// <summary>Bytes after which a segment is closed (<c>segment.bytes</c>).</summary>
    public int SegmentBytes { get; init; } = 128 << 20;
    /// <summary>Age after which a segment is closed (<c>segment.ms</c>).</summary>
    public long SegmentMs { get; init; } = 7L * 24 * 3600 * 1000;
    /// <summary>How much earlier a segment may be closed, differently for each, so that not all are at once (<c>segment.jitter.ms</c>).</summary>
    public long SegmentJitterMs { get; init; }
    /// <summary>Bytes of batches between two entries of an index (<c>index.interval.bytes</c>).</summary>
    public int IndexInterval { get; init; } = 4096;
    /// <summary>Age after which a closed segment goes, -1 never (<c>retention.ms</c>).</summary>
    public long RetentionMs { get; init; } = 7L * 24 * 3600 * 1000;
    /// <summary>Size above which the oldest closed segments go, -1 never (<c>retention.bytes</c>).</summary>
    public long RetentionBytes { get; init; } = -1;
    /// <summary>Largest batch accepted (<c>max.message.bytes</c>).</summary>
    public int MaxMessageBytes { get; init; } = (1 << 20) + 12;
    /// <summary>Whether the log stamps the batches (<c>message.timestamp.type</c>).</summary>
    public bool LogAppendTime { get; init; }
    /// <summary>How far in the past a timestamp may lie (<c>message.timestamp.before.max.ms</c>).</summary>
    public long TimestampBeforeMaxMs { get; init; } = long.MaxValue;
    /// <summary>
    /// How far in the future a timestamp may lie (<c>message.timestamp.after.max.ms</c>). Unlimited unless set: a device with a wrong clock
    /// must not lose its data, and retention does not trust record times alone.
    /// </summary>
    public long TimestampAfterMaxMs { get; init; } = long.MaxValue;
    /// <summary>Whether old records go by age and size (<c>cleanup.policy</c> has <c>delete</c>).</summary>
    public bool Deletes { get; init; } = true;
    /// <summary>Whether of each key only the last record is kept (<c>cleanup.policy</c> has <c>compact</c>).</summary>
    public bool Compacts { get; init; }
    /// <summary>Age below which records are not compacted (<c>min.compaction.lag.ms</c>).</summary>
    public long MinCompactionLagMs { get; init; }
    /// <summary>Age at which they are, whatever the ratio (<c>max.compaction.lag.ms</c>).</summary>
    public long MaxCompactionLagMs { get; init; } = long.MaxValue;
    /// <summary>How long a tombstone stays after it was first compacted (<c>delete.retention.ms</c>).</summary>
    public long DeleteRetentionMs { get; init; } = 24L * 3600 * 1000;
    /// <summary>Share of bytes not compacted yet from which compaction is worth its while (<c>min.cleanable.dirty.ratio</c>).</summary>
    public double MinCleanableDirtyRatio { get; init; } = 0.5;
    /// <summary>Priority when space has to be made (<c>iotgateway.lane</c>).</summary>
    public TopicLane Lane { get; init; } = TopicLane.Normal;
    /// <summary>How batches are packed (<c>compression.type</c> and the level of that type); null: as their producers did.</summary>
    public Packing? Packing { get; init; }
    /// <summary>When an append may be acknowledged (<c>iotgateway.durability</c>).</summary>
    public Durability Durability { get; init; } = Durability.Fsync;
    /// <summary>How long at most until data acknowledged unsynced is synced; zero with fsync.</summary>
    public TimeSpan SyncWithin { get; init; }

    /// <summary>Age at which the segment that begins there is closed: what has to be compacted by then must not be active for longer.</summary>
    public long SegmentAge(long baseOffset)
    {
        var age = Compacts ? Math.Min(SegmentMs, MaxCompactionLagMs) : SegmentMs;
        // Spread by the offset, so that a replay would decide the same.
        var most = Math.Min(SegmentJitterMs, age);
        return most == 0 ? age : age - (long)((ulong)baseOffset * 0x9E3779B97F4A7C15 % (ulong)most);
    }

    /// <summary>Reads the settings; those the log does not act on are not looked at.</summary>
    /// <exception cref="ArgumentException">A value is not allowed; the message says which and why.</exception>
    public static TopicRules Parse(TopicConfig config, TopicConfig? defaults = null)
    {
        string? Setting(string name)
            => config.Settings.TryGetValue(name, out var own) ? own : defaults?.Settings.GetValueOrDefault(name);
        long Number(string name, long otherwise, long least, long most)
        {
            if (Setting(name) is not { } text) return otherwise;
            return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most
                ? value
                : throw new ArgumentException($"{name}: '{text}' is not a number from {least} to {most}.");
        }
        double Ratio(string name, double otherwise)
        {
            if (Setting(name) is not { } text) return otherwise;
            return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value is >= 0 and <= 1
                ? value
                : throw new ArgumentException($"{name}: '{text}' is not a number from 0 to 1.");
        }
        var rules = new TopicRules();
        var policies = Policies(Setting("cleanup.policy") ?? "delete");
        var (durability, within) = ParseDurability(Setting("iotgateway.durability") ?? "fsync");
        return rules with
        {
            SegmentBytes = (int)Number("segment.bytes", rules.SegmentBytes, 14, int.MaxValue),
            SegmentMs = Number("segment.ms", rules.SegmentMs, 1, long.MaxValue),
            SegmentJitterMs = Number("segment.jitter.ms", rules.SegmentJitterMs, 0, long.MaxValue),
            IndexInterval = (int)Number("index.interval.bytes", rules.IndexInterval, 0, int.MaxValue),
            RetentionMs = Number("retention.ms", rules.RetentionMs, -1, long.MaxValue),
            RetentionBytes = Number("retention.bytes", rules.RetentionBytes, -1, long.MaxValue),
            MaxMessageBytes = (int)Number("max.message.bytes", rules.MaxMessageBytes, 0, int.MaxValue),
            TimestampBeforeMaxMs = Number("message.timestamp.before.max.ms", rules.TimestampBeforeMaxMs, 0, long.MaxValue),
            TimestampAfterMaxMs = Number("message.timestamp.after.max.ms", rules.TimestampAfterMaxMs, 0, long.MaxValue),
            LogAppendTime = (Setting("message.timestamp.type") ?? "CreateTime") switch
            {
                "CreateTime" => false,
                "LogAppendTime" => true,
                var other => throw new ArgumentException($"message.timestamp.type: '{other}' is neither CreateTime nor LogAppendTime."),
            },
            Deletes = policies.Contains("delete"),
            Compacts = policies.Contains("compact"),
            MinCompactionLagMs = Number("min.compaction.lag.ms", rules.MinCompactionLagMs, 0, long.MaxValue),
            MaxCompactionLagMs = Number("max.compaction.lag.ms", rules.MaxCompactionLagMs, 1, long.MaxValue),
            DeleteRetentionMs = Number("delete.retention.ms", rules.DeleteRetentionMs, 0, long.MaxValue),
            MinCleanableDirtyRatio = Ratio("min.cleanable.dirty.ratio", rules.MinCleanableDirtyRatio),
            Lane = (Setting("iotgateway.lane") ?? "normal") switch
            {
                "low" => TopicLane.Low,
                "normal" => TopicLane.Normal,
                "high" => TopicLane.High,
                var other => throw new ArgumentException($"iotgateway.lane: '{other}' is none of low, normal, high."),
            },
            Packing = ParsePacking(Setting("compression.type") ?? "producer", Number),
            Durability = durability,
            SyncWithin = within,
        };
    }

    // The levels are checked whatever the type: a wrong one would lie in wait.
    static Packing? ParsePacking(string type, Func<string, long, long, long, long> number)
    {
        var gzip = number("compression.gzip.level", -1, -1, 9);
        if (gzip == 0) throw new ArgumentException("compression.gzip.level: '0' is neither -1 (the default) nor a number from 1 to 9.");
        var lz4 = number("compression.lz4.level", 9, 1, 17);
        var zstd = number("compression.zstd.level", 3, -131072, 22);
        return type switch
        {
            "producer" => null,
            "uncompressed" => new(Compression.None, 0),
            "gzip" => new(Compression.Gzip, (int)gzip),
            "snappy" => new(Compression.Snappy, 0),
            "lz4" => new(Compression.Lz4, (int)lz4),
            "zstd" => new(Compression.Zstd, (int)zstd),
            _ => throw new ArgumentException($"compression.type: '{type}' is none of uncompressed, gzip, snappy, lz4, zstd, producer."),
        };
    }

    static string[] Policies(string policy)
    {
        var parts = policy.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return Array.TrueForAll(parts, p => p is "delete" or "compact")
            ? parts
            : throw new ArgumentException($"cleanup.policy: '{policy}' has something other than delete and compact.");
    }

    static (Durability, TimeSpan) ParseDurability(string text)
    {
        const string interval = "interval:";
        if (text == "fsync") return (Durability.Fsync, TimeSpan.Zero);
        if (text == "os") return (Durability.Os, TimeSpan.FromSeconds(1));
        if (text.StartsWith(interval, StringComparison.Ordinal) && ParseTime(text[interval.Length..]) is { } time) return (Durability.Interval, time);
        throw new ArgumentException($"iotgateway.durability: '{text}' is none of fsync, os, interval:TIME (such as interval:200ms, 1ms to 1h).");
    }

    static TimeSpan? ParseTime(string text)
    {
        var digits = text.TakeWhile(char.IsAsciiDigit).Count();
        if (!long.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number > 3_600_000) return null;
        TimeSpan? time = text[digits..] switch
        {
            "ms" => TimeSpan.FromMilliseconds(number),
            "s" => TimeSpan.FromSeconds(number),
            "m" => TimeSpan.FromMinutes(number),
            "h" => TimeSpan.FromHours(number),
            _ => null,
        };
        return time >= TimeSpan.FromMilliseconds(1) && time <= TimeSpan.FromHours(1) ? time : null;
    }
}
