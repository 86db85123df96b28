namespace IotGateway.Log;

/// <summary>Counters since the start and present sizes.</summary>
public sealed record LogFigures
{
    /// <summary>Units committed.</summary>
    public long Units { get; init; }
    /// <summary>Bytes of record batches appended.</summary>
    public long AppendedBytes { get; init; }
    /// <summary>Bytes written to the write-ahead log.</summary>
    public long WalBytes { get; init; }
    /// <summary>Syncs of the write-ahead log.</summary>
    public long Syncs { get; init; }
    /// <summary>Time spent in them.</summary>
    public TimeSpan SyncTime { get; init; }
    /// <summary>Number of the newest durable frame of the write-ahead log, counted over all starts.</summary>
    public long DurableSequence { get; init; }
    /// <summary>Checkpoints written.</summary>
    public long Checkpoints { get; init; }
    /// <summary>Bytes of segments the background check has read since the start.</summary>
    public long ScrubbedBytes { get; init; }
    /// <summary>Rotten bytes taken out of segments since the start.</summary>
    public long QuarantinedBytes { get; init; }
    /// <summary>Ranges they were.</summary>
    public long QuarantinedRanges { get; init; }
    /// <summary>Bytes deleted to make space, before any retention had come for them.</summary>
    public long DroppedBytes { get; init; }
    /// <summary>Records so deleted.</summary>
    public long DroppedRecords { get; init; }
    /// <summary>The longest sync of the write-ahead log since the start.</summary>
    public TimeSpan LongestSync { get; init; }
    /// <summary>For how long the commit under way has been waiting for the disk; zero when none is. Seconds mean that the disk does not answer.</summary>
    public TimeSpan CommitUnderWay { get; init; }
    /// <summary>Time spent writing checkpoints.</summary>
    public TimeSpan CheckpointTime { get; init; }
    /// <summary>When the last checkpoint was written; null before the first.</summary>
    public DateTimeOffset? LastCheckpoint { get; init; }
    /// <summary>How much of its present pass the background check has done, 0 to 1.</summary>
    public double ScrubProgress { get; init; }
    /// <summary>Bytes free on the log's disk.</summary>
    public long FreeBytes { get; init; }
    /// <summary>Bytes of segments on disk.</summary>
    public long DiskBytes { get; init; }
}
