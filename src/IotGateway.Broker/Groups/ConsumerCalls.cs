namespace IotGateway.Broker.Groups;

/// <summary>Partitions of a topic, by the topic's id.</summary>
internal sealed record TopicIdPartitions(Guid TopicId, IReadOnlyList<int> Partitions);

/// <summary>A ConsumerGroupHeartbeat request (key 68, KIP-848). Null: unchanged since the last one.</summary>
internal sealed record ConsumerHeartbeatCall
{
    public required int ApiVersion { get; init; }
    public required string GroupId { get; init; }
    public required string MemberId { get; init; }
    /// <summary>0 joins, -1 leaves, -2 leaves for a while (static members).</summary>
    public required int MemberEpoch { get; init; }
    public string? InstanceId { get; init; }
    public string? RackId { get; init; }
    public int RebalanceTimeoutMs { get; init; } = -1;
    public IReadOnlyList<string>? SubscribedTopicNames { get; init; }
    public string? SubscribedTopicRegex { get; init; }
    public string? ServerAssignor { get; init; }
    public IReadOnlyList<TopicIdPartitions>? OwnedPartitions { get; init; }
    /// <summary>Which topics a regular expression may find; null: all.</summary>
    public Func<string, bool>? Sees { get; init; }
    public string ClientId { get; init; } = "";
    public string ClientHost { get; init; } = "";
}

/// <summary>A ConsumerGroupHeartbeat response.</summary>
internal sealed record ConsumerHeartbeatResult
{
    public required GroupError Error { get; init; }
    public string? ErrorMessage { get; init; }
    public string? MemberId { get; init; }
    public int MemberEpoch { get; init; }
    public int HeartbeatIntervalMs { get; init; }
    /// <summary>Null: unchanged.</summary>
    public IReadOnlyList<TopicIdPartitions>? Assignment { get; init; }
}

/// <summary>Partitions of a topic, by id and name.</summary>
internal sealed record NamedTopicPartitions(Guid TopicId, string TopicName, IReadOnlyList<int> Partitions);

/// <summary>A member in a ConsumerGroupDescribe response.</summary>
internal sealed record DescribedConsumer
{
    public required string MemberId { get; init; }
    public string? InstanceId { get; init; }
    public string? RackId { get; init; }
    public required int MemberEpoch { get; init; }
    public required string ClientId { get; init; }
    public required string ClientHost { get; init; }
    public required IReadOnlyList<string> SubscribedTopicNames { get; init; }
    public string? SubscribedTopicRegex { get; init; }
    /// <summary>Whether it speaks the classic protocol.</summary>
    public required bool IsClassic { get; init; }
    public required IReadOnlyList<NamedTopicPartitions> Assignment { get; init; }
    public required IReadOnlyList<NamedTopicPartitions> TargetAssignment { get; init; }
}

/// <summary>A group in a ConsumerGroupDescribe response (key 69).</summary>
internal sealed record DescribedConsumerGroup
{
    public required string GroupId { get; init; }
    public GroupError Error { get; init; }
    public string? ErrorMessage { get; init; }
    public string State { get; init; } = "";
    public int GroupEpoch { get; init; }
    public int AssignmentEpoch { get; init; }
    public string AssignorName { get; init; } = "";
    public IReadOnlyList<DescribedConsumer> Members { get; init; } = [];
}
