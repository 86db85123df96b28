using IotGateway.Connect.Records;
using IotGateway.Sdk.Data;
using IotGateway.Sdk.Health;

namespace IotGateway.Connect.Health;

/// <summary>One device as the runtime sees it. Owned by its <see cref="PartBoard"/>, under that one's lock.</summary>
sealed class DeviceParts(string name, DateTimeOffset since)
{
    public string Name => name;

    /// <summary>Its interned tags.</summary>
    public Dictionary<string, Tag> Tags { get; } = new(StringComparer.Ordinal);

    /// <summary>How many of them are bad.</summary>
    public int Bad { get; set; }

    /// <summary>What the connector last said of the device; Ok when nothing.</summary>
    public PartHealth Reported { get; set; } = new(name, null, PartState.Ok, null, null, null);

    /// <summary>What was last told to the world.</summary>
    public PartState Told { get; set; }

    /// <summary>Since when.</summary>
    public DateTimeOffset Since { get; set; } = since;

    /// <summary>Gateway time of the last good reading; MinValue before the first.</summary>
    public DateTime LastGood { get; set; }

    /// <summary>Status of the latest bad reading.</summary>
    public string? LastStatus { get; set; }

    /// <summary>A gap of this device is open.</summary>
    public bool GapOpen { get; set; }

    /// <summary>The state that follows from reports and readings: reports of the whole device come first.</summary>
    public PartState State => Reported.State != PartState.Ok ? Reported.State
        : Bad == 0 ? PartState.Ok
        : Bad == Tags.Count ? PartState.Down
        : PartState.Degraded;

    /// <summary>Nothing of it is being captured.</summary>
    public bool Lost => IsLost(State);

    public static bool IsLost(PartState state) => state is PartState.Down or PartState.Quarantined or PartState.Stale;
}
