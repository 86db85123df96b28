namespace IotGateway.Broker.Groups.Consumer;

/// <summary>What a member of a consumer group has besides, as long as it speaks the classic protocol. Used inside the group only.</summary>
internal sealed class ClassicSide(int sessionTimeoutMs, IReadOnlyList<JoinProtocol> protocols)
{
    public int SessionTimeoutMs { get; } = sessionTimeoutMs;

    public IReadOnlyList<JoinProtocol> Protocols { get; } = protocols;

    /// <summary>When it must have joined again, or asked for its assignment.</summary>
    public long Deadline { get; set; } = long.MaxValue;
}
