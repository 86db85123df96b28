using IotGateway.Sdk.Data;

namespace IotGateway.Sdk;

/// <summary>A connector that produces data.</summary>
public interface ISource : IConnector
{
    /// <summary>
    /// Yields batches until the source ends or <paramref name="ct"/> is cancelled. The runtime pulls: it asks for the next batch
    /// only when there is room, so a push protocol puts into an <see cref="Inbox{T}"/> and yields everything waiting.
    /// </summary>
    /// <remarks>
    /// The runtime appends batch N durably and runs its <see cref="SourceBatch.OnDurable"/> in order; several batches may be on
    /// their way to disk at once. Throwing faults the instance; a <see cref="PermanentException"/> stops it until a human acts.
    /// Memory handed over in a batch must not be changed until its <see cref="SourceBatch.OnDurable"/> has run.
    /// </remarks>
    IAsyncEnumerable<SourceBatch> ReadAsync(CancellationToken ct);
}
