namespace IotGateway.Sdk;

/// <summary>
/// One living connection to a device, server or file. Crash-only: after a fault the runtime closes and disposes the instance
/// and makes a new one; a connector owns no reconnect loop unless its protocol's own session recovery requires one (OPC UA).
/// </summary>
/// <remarks>
/// What a connector can do is which interfaces its object implements: <see cref="ISource"/>, <see cref="ISink"/>,
/// <see cref="IReadable"/>, <see cref="Commands.ICommandTarget"/>, <see cref="IBrowsable"/>, <see cref="IReconfigurable{TConfig}"/>.
/// The runtime calls <see cref="OpenAsync"/> once, then the capabilities, then <see cref="CloseAsync"/> once (also after a
/// failed open), then disposes. Capability calls may run concurrently with each other.
/// </remarks>
public interface IConnector : IAsyncDisposable
{
    /// <summary>Connects and authenticates. Returns when data can flow.</summary>
    /// <param name="mode">Run, or a probe with an own identity that leaves no durable trace.</param>
    /// <param name="ct">Cancelled when the runtime stops or the open timeout passes.</param>
    /// <exception cref="PermanentException">A human is needed (wrong password, unknown host key). Anything else is retried with backoff.</exception>
    ValueTask OpenAsync(OpenMode mode, CancellationToken ct);

    /// <summary>Says goodbye to the peer as <paramref name="why"/> asks; only <see cref="CloseReason.Remove"/> deletes remote sessions.</summary>
    /// <remarks>Must return promptly once <paramref name="ct"/> is cancelled; an exception is logged and otherwise ignored.</remarks>
    ValueTask CloseAsync(CloseReason why, CancellationToken ct);
}
