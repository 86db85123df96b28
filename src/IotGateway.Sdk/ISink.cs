using IotGateway.Sdk.Data;

namespace IotGateway.Sdk;

/// <summary>A connector that takes records out of the log.</summary>
public interface ISink : IConnector
{
    /// <summary>Delivers a batch, in order.</summary>
    /// <returns>How long the settled prefix is, and which records within it were refused for good (dead letters).</returns>
    /// <remarks>
    /// Never called concurrently. A lost connection returns what is settled so far; the rest comes again. An exception settles
    /// nothing and faults the instance. Trouble with the connection is never a rejection. The bytes of a record stay as they are until a call
    /// has returned it as settled; then later records are read into their memory: what is needed longer is to be copied.
    /// </remarks>
    ValueTask<WriteResult> WriteAsync(IReadOnlyList<SinkRecord> batch, CancellationToken ct);
}
