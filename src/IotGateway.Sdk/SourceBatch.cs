using IotGateway.Sdk.Data;

namespace IotGateway.Sdk;

/// <summary>What a source hands over at once: appended in one atomic step, together with positions, gaps and state.</summary>
public sealed record SourceBatch
{
    /// <summary>Tag values; the runtime encodes them.</summary>
    public IReadOnlyList<Reading> Readings { get; init; } = [];

    /// <summary>Opaque records, already encoded.</summary>
    public IReadOnlyList<Record> Records { get; init; } = [];

    /// <summary>Gaps only the connector knows of (sequence jump, overflow). Downtime gaps are the runtime's.</summary>
    public IReadOnlyList<Gap> Gaps { get; init; } = [];

    /// <summary>Positions and session state, durable with the data. May stand alone.</summary>
    public IReadOnlyList<StateChange> State { get; init; } = [];

    /// <summary>Priority class.</summary>
    public Lane Lane { get; init; } = Lane.Normal;

    /// <summary>
    /// Runs after the batch is on disk: send the PUBACK here. Called in batch order, one at a time, never once closing has begun;
    /// if it throws, the instance is faulted. There is no negative acknowledgement: the log is local.
    /// </summary>
    public Func<CancellationToken, ValueTask>? OnDurable { get; init; }
}
