namespace IotGateway.Broker.Groups;

/// <summary>One protocol a member offers, with the bytes its assignor understands.</summary>
internal readonly record struct JoinProtocol(string Name, ReadOnlyMemory<byte> Metadata);

/// <summary>A JoinGroup request (key 11).</summary>
internal sealed record JoinGroupCall
{
    public required int ApiVersion { get; init; }
    public required string GroupId { get; init; }
    /// <summary>Empty for a member that has no id yet.</summary>
    public required string MemberId { get; init; }
    public string? InstanceId { get; init; }
    public required int SessionTimeoutMs { get; init; }
    /// <summary>-1 (version 0 has none): the session timeout serves.</summary>
    public int RebalanceTimeoutMs { get; init; } = -1;
    public required string ProtocolType { get; init; }
    public required IReadOnlyList<JoinProtocol> Protocols { get; init; }
    /// <summary>The request header's; empty when it had none.</summary>
    public string ClientId { get; init; } = "";
    /// <summary>Kafka's form: <c>/127.0.0.1</c>.</summary>
    public string ClientHost { get; init; } = "";
}

/// <summary>A member as the leader sees it.</summary>
internal readonly record struct JoinedMember(string MemberId, string? InstanceId, ReadOnlyMemory<byte> Metadata);

/// <summary>A JoinGroup response. <see cref="Protocol"/> is null on errors: versions below 7 write an empty string instead.</summary>
internal sealed record JoinGroupResult
{
    public required GroupError Error { get; init; }
    public int Generation { get; init; } = -1;
    public string? ProtocolType { get; init; }
    public string? Protocol { get; init; }
    public string Leader { get; init; } = "";
    public bool SkipAssignment { get; init; }
    public string MemberId { get; init; } = "";
    /// <summary>All members, for the leader; else empty.</summary>
    public IReadOnlyList<JoinedMember> Members { get; init; } = [];
}
