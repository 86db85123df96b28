using IotGateway.Log.Disk;
using IotGateway.Log.Wal;

namespace IotGateway.Log;

/// <summary>How the log is kept.</summary>
public sealed record LogOptions
{
    /// <summary>Data directory; made when missing.</summary>
    public required string Directory { get; init; }

    /// <summary>Total size of the write-ahead log's files, bytes.</summary>
    public long WalBytes { get; init; } = 256L << 20;

    /// <summary>Defaults for topics that do not say otherwise.</summary>
    public TopicConfig TopicDefaults { get; init; } = new();

    /// <summary>Bytes kept free for outcomes, gaps and offsets when the disk is full.</summary>
    public long ReserveBytes { get; init; } = 64L << 20;

    /// <summary>Most bytes of all topics together, the write-ahead log apart; null: as much as the disk has.</summary>
    public long? BudgetBytes { get; init; }

    /// <summary>Whether nothing may be deleted before <see cref="LogStore.Pins"/> is set: what a sink still needs is known only then.</summary>
    public bool AwaitsPins { get; init; }

    /// <summary>Pause between two looks for what is to be compacted (Kafka's log.cleaner.backoff.ms).</summary>
    public TimeSpan CompactEvery { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Pause between two looks for what retention no longer covers (Kafka's log.retention.check.interval.ms).</summary>
    public TimeSpan RetainEvery { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>For a log that a gateway does not run on, with the write-ahead files it has; nothing goes for its age, and nothing is checked by itself.</summary>
    internal static LogOptions Stopped(string directory, IDisk disk)
    {
        var never = TimeSpan.FromDays(40);
        var options = new LogOptions { Directory = directory, ReserveBytes = 0, ScrubEvery = null, RetainEvery = never, CompactEvery = never };
        var wal = Path.Combine(directory, "wal");
        long length = 0;
        foreach (var name in disk.Files(wal))
        {
            using var file = disk.Open(Path.Combine(wal, name), create: false);
            length = Math.Max(length, file.Length);
        }
        return length > 0 ? options with { WalBytes = length * WalFiles.Count } : options;
    }

    /// <summary>How long the background check takes to read the whole log once; null: none.</summary>
    public TimeSpan? ScrubEvery { get; init; } = TimeSpan.FromDays(7);
}
