namespace IotGateway.Broker.Groups;

/// <summary>What the leader assigns to a member; opaque to the broker.</summary>
internal readonly record struct MemberAssignment(string MemberId, ReadOnlyMemory<byte> Assignment);

/// <summary>A SyncGroup request (key 14).</summary>
internal sealed record SyncGroupCall
{
    public required string GroupId { get; init; }
    public required int Generation { get; init; }
    public required string MemberId { get; init; }
    public string? InstanceId { get; init; }
    /// <summary>Null (before version 5): not checked.</summary>
    public string? ProtocolType { get; init; }
    /// <summary>Null (before version 5): not checked.</summary>
    public string? Protocol { get; init; }
    /// <summary>From the leader; empty from the others.</summary>
    public IReadOnlyList<MemberAssignment> Assignments { get; init; } = [];
}

/// <summary>A SyncGroup response.</summary>
internal sealed record SyncGroupResult
{
    public required GroupError Error { get; init; }
    public string? ProtocolType { get; init; }
    public string? Protocol { get; init; }
    public ReadOnlyMemory<byte> Assignment { get; init; }
}
