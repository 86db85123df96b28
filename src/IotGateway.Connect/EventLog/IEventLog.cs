namespace IotGateway.Connect.EventLog;

/// <summary>
/// The log as the runtime sees it: records to topics by name, together with entries of small durable tables, in one atomic step;
/// and readers that never see what is not durable. Owned by the runtime so that the embedded log and a Kafka cluster are
/// interchangeable. Thread-safe.
/// </summary>
public interface IEventLog
{
    /// <summary>False while the log cannot take data: disk full, or failed.</summary>
    bool Accepting { get; }

    /// <summary>Completes with the cause once the log has failed for good: the process must stop.</summary>
    Task<Exception> Failed { get; }

    /// <summary>
    /// Hands the unit to the log. The outer task completes when its place in the order is fixed (its topics exist and it is
    /// queued), the inner when all of it is on disk. A caller that awaits the outer task before the next call keeps its order.
    /// The unit must stay unchanged until the inner task has completed. When it fails, nothing of the unit was written.
    /// </summary>
    /// <exception cref="Log.LogFullException">From the inner task: no room; the same unit may be submitted again.</exception>
    /// <exception cref="Log.LogFailedException">From the inner task: the log has failed; the process must stop.</exception>
    ValueTask<Task> SubmitAsync(EventUnit unit, CancellationToken ct);

    /// <summary>A table's entry as of the last durable unit; null when absent. The memory must not be changed.</summary>
    ReadOnlyMemory<byte>? Get(string table, ReadOnlySpan<byte> key);

    /// <summary>A snapshot of a table.</summary>
    IReadOnlyList<KeyValuePair<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>> Scan(string table);

    /// <summary>
    /// A reader of all present and future topics that <paramref name="filter"/> accepts. A partition is read from the position
    /// stored for <paramref name="consumer"/> (see <see cref="IEventReader.Settle"/>), else from its beginning, or, for
    /// partitions present now and <paramref name="fromEnd"/>, from its end.
    /// </summary>
    IEventReader Read(string consumer, Func<string, bool> filter, bool fromEnd);

    /// <summary>Makes the topics that do not exist yet, as the configuration says.</summary>
    ValueTask EnsureTopicsAsync(IReadOnlyList<string> topics, CancellationToken ct);

    /// <summary>What the disk has lost, found at this start; empty when all is well. Each is to be told once, as a gap.</summary>
    ValueTask<IReadOnlyList<LostRange>> LostAsync(CancellationToken ct);

    /// <summary>What was deleted to make space or lost by the disk since the start, and has not been told yet. A unit that tells one deletes its entries (<see cref="LostRange.Settle"/>).</summary>
    IReadOnlyList<LostRange> Dropped();

    /// <summary>Raised when <see cref="Dropped"/> has more; must be quick.</summary>
    event Action? RecordsDropped;

    /// <summary>Says who still needs what it has not read yet; replaces what was said before. Nothing is deleted before this was called once.</summary>
    void Pin(IReadOnlyList<ReaderPin> pins);

    /// <summary>Who wrote a record, as the log knows and not as the record says; null when it does not know, as of a record that was replicated.</summary>
    string? OriginOf(string topic, int partition, long offset);

    /// <summary>Offset after the last readable record of each partition; empty when there is no such topic.</summary>
    IReadOnlyList<long> Ends(string topic);
}

/// <summary>Conveniences over <see cref="IEventLog"/>.</summary>
public static class EventLogExtensions
{
    /// <summary>Submits and waits until it is on disk.</summary>
    public static async ValueTask CommitAsync(this IEventLog log, EventUnit unit, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(log);
        var durable = await log.SubmitAsync(unit, ct).ConfigureAwait(false);
        await durable.ConfigureAwait(false);
    }
}
