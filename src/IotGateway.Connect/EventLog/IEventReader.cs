using IotGateway.Sdk.Data;

namespace IotGateway.Connect.EventLog;

/// <summary>Reads records in order per partition, waiting without polling. For one caller at a time.</summary>
public interface IEventReader : IAsyncDisposable
{
    /// <summary>
    /// The next records: at least one (waits for it), at most about the limits given. After the first it takes only what is
    /// there. Partitions take turns, so that a busy one does not starve the others. The list is the reader's until the next call; the records stay
    /// as they are until <see cref="Release"/>.
    /// </summary>
    ValueTask<IReadOnlyList<SinkRecord>> ReadAsync(int maxRecords, int maxBytes, CancellationToken ct);

    /// <summary>
    /// Says that nobody looks at the keys, values and header values of any record handed out so far: their memory is used for later ones. Never called, they stay as they are.
    /// </summary>
    void Release();

    /// <summary>Adds to the unit that everything up to and including <paramref name="last"/> in its partition needs no further reading.</summary>
    void Settle(EventUnit unit, SinkRecord last);

    /// <summary>Adds to the unit that every partition present is to be read from where this reader stands now.</summary>
    void Anchor(EventUnit unit);

    /// <summary>Records not yet handed out.</summary>
    long Lag { get; }
}
