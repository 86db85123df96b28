namespace IotGateway.Broker.Groups;

/// <summary>Per partition what the caller gives or gets, under the topic's name. Topic ids are resolved by the caller.</summary>
internal sealed record TopicItems<T>(string Topic, IReadOnlyList<T> Partitions);

/// <summary>An offset to commit. <see cref="LeaderEpoch"/> -1: not known.</summary>
internal readonly record struct OffsetToCommit(int Partition, long Offset, int LeaderEpoch, string? Metadata);

/// <summary>What became of one partition.</summary>
internal readonly record struct PartitionError(int Partition, GroupError Error);

/// <summary>An OffsetCommit request (key 8).</summary>
internal sealed record OffsetCommitCall
{
    public required int ApiVersion { get; init; }
    public required string GroupId { get; init; }
    /// <summary>Generation of a classic group, member epoch of a consumer group, -1 for neither.</summary>
    public int GenerationOrEpoch { get; init; } = -1;
    public string MemberId { get; init; } = "";
    public string? InstanceId { get; init; }
    /// <summary>Versions 2–4; -1: the broker's.</summary>
    public long RetentionMs { get; init; } = -1;
    public required IReadOnlyList<TopicItems<OffsetToCommit>> Topics { get; init; }
}

/// <summary>Answer to a commit or delete: every partition asked for is there, in the order asked.</summary>
internal sealed record OffsetResult(GroupError Error, IReadOnlyList<TopicItems<PartitionError>> Topics);

/// <summary>One group of an OffsetFetch request (key 9).</summary>
internal sealed record OffsetFetchCall
{
    public required string GroupId { get; init; }
    /// <summary>Null (before version 9): not checked.</summary>
    public string? MemberId { get; init; }
    /// <summary>-1: not checked.</summary>
    public int MemberEpoch { get; init; } = -1;
    /// <summary>Null: every topic with an offset.</summary>
    public IReadOnlyList<TopicItems<int>>? Topics { get; init; }
    /// <summary>Partitions whose offset an open transaction may still change, told as UNSTABLE_OFFSET_COMMIT; looked up before the group is.</summary>
    public IReadOnlySet<(string Topic, int Partition)>? Unstable { get; init; }
}

/// <summary>A committed offset; -1 with no error where there is none.</summary>
internal readonly record struct FetchedOffset(int Partition, long Offset, int LeaderEpoch, string Metadata, GroupError Error);

/// <summary>One group of an OffsetFetch response; with an error there are no topics.</summary>
internal sealed record OffsetFetchResult(string GroupId, GroupError Error, IReadOnlyList<TopicItems<FetchedOffset>> Topics);

/// <summary>An OffsetDelete request (key 47).</summary>
internal sealed record OffsetDeleteCall(string GroupId, IReadOnlyList<TopicItems<int>> Topics);
