using IotGateway.Sdk;

namespace IotGateway.Connectors.Sparkplug.Plant;

/// <summary>What all edge nodes of a connector have in common. Immutable but for the registry of names.</summary>
/// <param name="Context">The gateway's.</param>
/// <param name="Points">Makes tags and readings.</param>
/// <param name="Names">Gives devices their names.</param>
/// <param name="ReorderTimeout">How long a missing message is waited for.</param>
/// <param name="RebirthPause">Least time between two rebirth requests to one edge node.</param>
/// <param name="RebirthMaxPause">Where doubling that ends.</param>
/// <param name="Metrics">Figures.</param>
sealed record PlantRules(ConnectorContext Context, PointReader Points, DeviceNames Names, TimeSpan ReorderTimeout, TimeSpan RebirthPause, TimeSpan RebirthMaxPause, SparkplugMetrics Metrics)
{
    /// <summary>How long after its edge node's birth a device's may take before it is stale.</summary>
    public static TimeSpan DeviceBirthTime { get; } = TimeSpan.FromSeconds(30);

    /// <summary>Most devices of one edge node.</summary>
    public const int MostDevices = 10_000;

    /// <summary>How long an edge node known from an earlier run may take until its birth before it is stale.</summary>
    public static TimeSpan RestoredBirthTime { get; } = TimeSpan.FromSeconds(30);

    /// <summary>Key of the durable state that says that a device exists, behind it <c>group/edge/device</c>.</summary>
    public const string DevicePrefix = "device/";

    /// <summary>Key of the durable state that says that an edge node exists; the value is the reason of its open gap, or nothing.</summary>
    public const string StatePrefix = "edge/";
}
