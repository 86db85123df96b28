namespace IotGateway.Sdk.Data;

/// <summary>One tag's value with quality and time.</summary>
/// <param name="Tag">The tag.</param>
/// <param name="Value">The value; None when bad.</param>
/// <param name="SourceTime">The device's time, UTC; <see cref="DateTime.MinValue"/> when the device gives none.</param>
/// <param name="GatewayTime">When the gateway received it, UTC.</param>
public readonly record struct Reading(Tag Tag, Value Value, DateTime SourceTime, DateTime GatewayTime)
{
    /// <summary>How far to trust the value.</summary>
    public Quality Quality { get; init; }

    /// <summary>Why the quality is not good, e.g. <c>modbus:exception-2</c>; null when good.</summary>
    public string? Status { get; init; }

    /// <summary>Name of an enumeration's value, e.g. <c>Running</c> for 3.</summary>
    public string? Label { get; init; }

    /// <summary>History fetched after the fact: goes to the backfill topic.</summary>
    public bool Backfill { get; init; }

    /// <summary>A bad reading: no value, the reason in <paramref name="status"/>.</summary>
    public static Reading Bad(Tag tag, string status, DateTime gatewayTime)
        => new(tag, Value.None, DateTime.MinValue, gatewayTime) { Quality = Quality.Bad, Status = status };
}

/// <summary>How far to trust a value.</summary>
public enum Quality : byte
{
    /// <summary>Trust it.</summary>
    Good,

    /// <summary>Doubtful; the status says why.</summary>
    Uncertain,

    /// <summary>Do not use it.</summary>
    Bad,
}
