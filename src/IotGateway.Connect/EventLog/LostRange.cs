namespace IotGateway.Connect.EventLog;

/// <summary>Records that were durable once and are gone: a hole in a partition's offsets, or what was deleted to make space.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Partition">The partition.</param>
/// <param name="FromOffset">First offset missing.</param>
/// <param name="ToOffset">Offset after the last one missing.</param>
/// <param name="From">Time of the last record before, UTC; of the start where there is none. Of what was deleted: when the first of it was appended.</param>
/// <param name="To">Time of the first record after, UTC; of the start where there is none. Of what was deleted: when the last of it was appended.</param>
/// <param name="Reason">Why.</param>
public sealed record LostRange(string Topic, int Partition, long FromOffset, long ToOffset, DateTime From, DateTime To, string Reason = LostRange.Damaged)
{
    /// <summary>The disk has lost it.</summary>
    public const string Damaged = "log-damaged";

    /// <summary>It was deleted because the log had used up its size.</summary>
    public const string DiskBudget = "disk-budget";

    /// <summary>It was deleted because the disk was full.</summary>
    public const string DiskFull = "disk-full";

    /// <summary>Table and entries that say it has still to be told.</summary>
    public (string Table, IReadOnlyList<ReadOnlyMemory<byte>> Keys) Untold { get; init; } = ("", []);

    /// <summary>Adds to the unit that tells it that it is told.</summary>
    public void Settle(EventUnit unit)
    {
        ArgumentNullException.ThrowIfNull(unit);
        foreach (var key in Untold.Keys) unit.Delete(Untold.Table, key.Span);
    }
}
