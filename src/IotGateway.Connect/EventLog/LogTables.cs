namespace IotGateway.Connect.EventLog;

/// <summary>Names of the durable tables the runtime keeps beside the data.</summary>
static class LogTables
{
    /// <summary>Connectors' own state: <c>connector NUL key</c> → bytes.</summary>
    public const string State = "connect.state";

    /// <summary>Last values: <c>device/tag</c> → see the codec of last values.</summary>
    public const string Last = "connect.last";

    /// <summary>Readers' positions: <c>consumer NUL topic NUL partition</c> → topic id (16), offset (8, big endian).</summary>
    public const string Positions = "connect.positions";

    /// <summary>When a source last delivered: <c>connector NUL task</c> → UTC ticks (8, big endian).</summary>
    public const string Alive = "connect.alive";

    /// <summary>Open gaps: <c>connector NUL task NUL device</c> → the gap record as JSON.</summary>
    public const string Gaps = "connect.gaps";

    /// <summary>Commands seen: <c>principal NUL id</c> → the entry as JSON.</summary>
    public const string Commands = "connect.commands";

    /// <summary>Switches, the head of the outcomes' hash chain, and the rules for topics that were last in force: name → JSON.</summary>
    public const string Control = "connect.control";
}
