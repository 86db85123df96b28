using IotGateway.Connectors.Modbus.Model;

namespace IotGateway.Connectors.Modbus.Polling;

/// <summary>
/// One unit's circuit breaker: after some missed answers in a row it is open, and then one block is the probe while the others are
/// parked. Owned by the poller's loop.
/// </summary>
internal sealed class UnitState(byte id, IReadOnlyList<DeviceModel> devices)
{
    /// <summary>Unit id.</summary>
    public byte Id { get; } = id;

    /// <summary>The devices that are this unit.</summary>
    public IReadOnlyList<DeviceModel> Devices { get; } = devices;

    /// <summary>All its tags.</summary>
    public List<TagTrack> Tracks { get; } = [];

    /// <summary>All its groups.</summary>
    public List<PollGroup> Groups { get; } = [];

    /// <summary>Missed answers in a row.</summary>
    public int Misses { get; set; }

    /// <summary>Whether the breaker is open.</summary>
    public bool IsOpen => Probe is not null;

    /// <summary>The block sent as a probe while the breaker is open.</summary>
    public PollBlock? Probe { get; set; }

    /// <summary>Pause between probes.</summary>
    public TimeSpan Pause { get; set; }

    /// <summary>Blocks that wait until the unit answers.</summary>
    public List<PollBlock> Parked { get; } = [];

    /// <summary>What was last reported: true = answers, false = down, null = not known yet.</summary>
    public bool? Reported { get; set; }
}
