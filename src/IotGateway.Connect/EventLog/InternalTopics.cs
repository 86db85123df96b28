namespace IotGateway.Connect.EventLog;

/// <summary>The gateway's own topics.</summary>
public static class InternalTopics
{
    /// <summary>Commands in; the only one that clients may produce to.</summary>
    public const string Commands = "gateway.commands";

    /// <summary>What became of commands.</summary>
    public const string Outcomes = "gateway.outcomes";

    /// <summary>What could not be captured; compacted by gap id.</summary>
    public const string Gaps = "gateway.gaps";

    /// <summary>Present health of connectors, devices and failing tags; compacted.</summary>
    public const string Health = "gateway.health";

    /// <summary>Records that could not be used as intended, with their original bytes.</summary>
    public const string DeadLetters = "gateway.dead-letters";

    /// <summary>Who changed what on the gateway.</summary>
    public const string Audit = "gateway.audit";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [Commands, Outcomes, Gaps, Health, DeadLetters, Audit];
}
