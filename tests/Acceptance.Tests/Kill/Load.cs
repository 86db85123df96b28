using System.Collections.Concurrent;

namespace Acceptance.Tests.Kill;

/// <summary>
/// Work of one kind that goes on while the gateway dies and comes back, with a journal of what the gateway acknowledged. Created when the
/// gateway runs; checked after every start while the work goes on; finished once.
/// </summary>
abstract class Load : IAsyncDisposable
{
    /// <summary>What must not be, found so far.</summary>
    public ConcurrentQueue<string> Failures { get; } = new();

    /// <summary>Acknowledgements so far.</summary>
    public abstract long Acknowledged { get; }

    /// <summary>Compares what an independent client reads with what had been acknowledged before it began to read. Reads only what is new.</summary>
    public abstract Task CheckAsync();

    /// <summary>Ends the work, waits until nothing is under way, and checks all of it.</summary>
    public abstract Task FinishAsync();

    /// <summary>One clause of what was done, for the report.</summary>
    public abstract string Summary { get; }

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();
}
