namespace IotGateway.Sdk.Health;

/// <summary>Health of a device, or of one tag.</summary>
/// <param name="Device">The device.</param>
/// <param name="Tag">The tag, or null for the whole device.</param>
/// <param name="State">How it is.</param>
/// <param name="Code">The peer's own code, e.g. <c>modbus:exception-2</c>.</param>
/// <param name="Reason">In words, for a plant engineer.</param>
/// <param name="NextTry">When it is tried again, if it is.</param>
public readonly record struct PartHealth(string Device, string? Tag, PartState State, string? Code, string? Reason, DateTimeOffset? NextTry);

/// <summary>State of a device or tag.</summary>
public enum PartState
{
    /// <summary>Works.</summary>
    Ok,

    /// <summary>Works in part.</summary>
    Degraded,

    /// <summary>Does not answer; is being retried.</summary>
    Down,

    /// <summary>Set aside after repeated refusals; probed rarely.</summary>
    Quarantined,

    /// <summary>Nothing heard for longer than expected.</summary>
    Stale,

    /// <summary>Switched off in the configuration: no alarm, no gap.</summary>
    Disabled,
}
