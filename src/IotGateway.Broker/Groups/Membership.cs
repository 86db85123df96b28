namespace IotGateway.Broker.Groups;

/// <summary>A Heartbeat request (key 12).</summary>
internal readonly record struct HeartbeatCall(string GroupId, int Generation, string MemberId, string? InstanceId);

/// <summary>Who leaves: by member id, or (with an empty member id) by instance id.</summary>
internal readonly record struct LeavingMember(string MemberId, string? InstanceId);

/// <summary>A LeaveGroup request (key 13); versions 0–2 carry one member.</summary>
internal sealed record LeaveGroupCall
{
    public required int ApiVersion { get; init; }
    public required string GroupId { get; init; }
    public required IReadOnlyList<LeavingMember> Members { get; init; }
}

/// <summary>What became of one leaving member.</summary>
internal readonly record struct LeftMember(string MemberId, string? InstanceId, GroupError Error);

/// <summary>A LeaveGroup response. For versions 0–2 <see cref="Error"/> is the one member's error.</summary>
internal sealed record LeaveGroupResult(GroupError Error, IReadOnlyList<LeftMember> Members);
