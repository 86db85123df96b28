using System.ComponentModel.DataAnnotations;
using IotGateway.Sdk.Config;

namespace IotGateway.Connect.Configs;

/// <summary>The log on this machine's disk.</summary>
public sealed record LogConfig
{
    [Option("When a record counts as safe: fsync (on disk), interval:TIME (synced that often, 1ms to 1h), os (when the system likes)."), Durability]
    public string Durability { get; init; } = "fsync";

    [Option("How long records are kept; the size is that of the whole log, beside the write-ahead log: beyond it the oldest records of the lowest lane go first, and a gap says which.")]
    public RetentionConfig Retention { get; init; } = new();

    [Option("Size of the write-ahead log on disk.", Advanced = true), Range(typeof(ByteSize), "16MiB", "16GiB")]
    public ByteSize WalSize { get; init; } = new(256L << 20);

    [Option("Disk space kept free for gaps, outcomes and offsets.", Advanced = true), Range(typeof(ByteSize), "16MiB", "16GiB")]
    public ByteSize Reserve { get; init; } = new(64L << 20);

    [Option("Pause between two looks for topics to compact.", Advanced = true), Range(typeof(TimeSpan), "00:00:00.1", "1.00:00:00")]
    public TimeSpan CompactEvery { get; init; } = TimeSpan.FromSeconds(15);

    [Option("Pause between two looks for records that retention no longer covers.", Advanced = true), Range(typeof(TimeSpan), "00:00:00.1", "1.00:00:00")]
    public TimeSpan RetainEvery { get; init; } = TimeSpan.FromMinutes(5);

    [Option("How long a background check takes to read the whole log once, looking for what the disk has spoilt; 0s: none.", Advanced = true), Range(typeof(TimeSpan), "00:00:00", "365.00:00:00")]
    public TimeSpan Scrub { get; init; } = TimeSpan.FromDays(7);
}
