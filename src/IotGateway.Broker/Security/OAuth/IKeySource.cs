namespace IotGateway.Broker.Security.OAuth;

/// <summary>Where the keys that sign tokens come from.</summary>
internal interface IKeySource : IDisposable
{
    /// <summary>The keys at present.</summary>
    /// <param name="wanted">Key id that is needed: without it among the known ones, the source may look for newer keys.</param>
    /// <param name="ct">Cancellation.</param>
    /// <exception cref="JwksException">There are none.</exception>
    ValueTask<KeySet> GetAsync(string? wanted, CancellationToken ct);
}
