namespace IotGateway.Connect.Tasks;

/// <summary>What the worker needs to know beside the configuration.</summary>
public sealed record WorkerOptions
{
    /// <summary>Random and fixed per installation; 8 characters [0-9a-z].</summary>
    public required string InstallId { get; init; }

    /// <summary>Whether the machine's clock was synchronised since boot; commands are refused while it was not.</summary>
    public Func<bool> ClockSynchronised { get; init; } = () => true;

    /// <summary>Longest time for data on its way to become durable and be confirmed when a task is asked to stop.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Longest time for each of reading, CloseAsync and DisposeAsync to end; then the instance is abandoned with a warning.</summary>
    public TimeSpan CloseTimeout { get; init; } = TimeSpan.FromSeconds(1.5);

    /// <summary>Batches of one source on their way to disk at the same time.</summary>
    public int MaxInFlight { get; init; } = 4;
}
