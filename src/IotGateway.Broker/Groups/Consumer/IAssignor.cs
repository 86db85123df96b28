namespace IotGateway.Broker.Groups.Consumer;

/// <summary>A member to assign to: the topics it reads that are there, and what it was to have until now.</summary>
internal sealed record AssigneeMember(string Id, string? InstanceId, IReadOnlyList<string> Topics, IReadOnlySet<TopicPartition> Current);

/// <summary>Shares out partitions among members. Pure: the same input gives the same result.</summary>
internal interface IAssignor
{
    string Name { get; }

    /// <summary>Partitions by member id; every partition of a topic somebody reads is with exactly one member that reads it.</summary>
    Dictionary<string, HashSet<TopicPartition>> Assign(IReadOnlyList<AssigneeMember> members, IReadOnlyDictionary<string, GroupTopic> topics);
}
