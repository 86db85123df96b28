using IotGateway.Connectors.Modbus.Model;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Modbus.Polling;

/// <summary>What a poller remembers of one tag. Owned by the poller's loop.</summary>
internal sealed class TagTrack(TagPoint point)
{
    /// <summary>The tag.</summary>
    public TagPoint Point { get; } = point;

    /// <summary>Last published value; None when none was, or the last was bad.</summary>
    public Value Last { get; set; }

    /// <summary>When, in ticks of the poller's clock.</summary>
    public long PublishedAt { get; set; }

    /// <summary>Why it is bad; null when good or not read yet.</summary>
    public string? Status { get; set; }

    /// <summary>Pause until the next probe of a refused tag; zero when not quarantined.</summary>
    public TimeSpan Quarantine { get; set; }

    /// <summary>Whether the device refuses it.</summary>
    public bool IsQuarantined => Quarantine > TimeSpan.Zero;
}
