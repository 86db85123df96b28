namespace IotGateway.Sdk;

/// <summary>A share of a bus. Dispose it to give it back.</summary>
public abstract class Lease<T> : IAsyncDisposable where T : class, IAsyncDisposable
{
    /// <summary>The bus itself.</summary>
    public abstract T Value { get; }

    /// <summary>Cancelled when any holder called <see cref="Fault"/>.</summary>
    public abstract CancellationToken Faulted { get; }

    /// <summary>Declares the bus broken, for all holders.</summary>
    public abstract void Fault(Exception cause);

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();
}
