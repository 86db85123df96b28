namespace IotGateway.Connectors.Modbus.Client;

/// <summary>Who goes first when several wait for a bus; within a priority, first come, first served.</summary>
internal enum Priority
{
    /// <summary>A command to a machine.</summary>
    Command,

    /// <summary>Somebody waits for a fresh value.</summary>
    Read,

    /// <summary>Polling.</summary>
    Poll,
}
