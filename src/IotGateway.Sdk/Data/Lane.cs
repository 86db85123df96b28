namespace IotGateway.Sdk.Data;

/// <summary>Priority class: what is forwarded first and dropped last.</summary>
public enum Lane : byte
{
    /// <summary>Telemetry that may go first when the disk is full.</summary>
    Low,

    /// <summary>Ordinary telemetry.</summary>
    Normal,

    /// <summary>Alarms and command results.</summary>
    High,
}
