using IotGateway.Broker.Groups;

namespace IotGateway.Broker.Tests.Groups;

/// <summary>A KIP-848 consumer: what it was told, and what it has.</summary>
sealed class ConsumerClient(GroupFixture fixture, string memberId, string? instanceId = null)
{
    public string MemberId { get; set; } = memberId;
    public string? InstanceId { get; } = instanceId;
    public int Epoch { get; set; }
    public IReadOnlyList<TopicIdPartitions> Owned { get; set; } = [];
    public IReadOnlyList<TopicIdPartitions>? Told { get; private set; }

    /// <summary>Partitions it has, of all topics, as "topic-partition".</summary>
    public string[] Has => [.. Owned.SelectMany(topic => topic.Partitions.Select(partition => $"{fixture.Topics.Find(topic.TopicId)?.Name}-{partition}")).Order()];

    public ConsumerHeartbeatCall JoinCall(string[]? topics = null, string? regex = null, string? assignor = null) => new()
    {
        ApiVersion = 1,
        GroupId = GroupFixture.GroupId,
        MemberId = MemberId,
        MemberEpoch = 0,
        InstanceId = InstanceId,
        RebalanceTimeoutMs = GroupFixture.RebalanceTimeout,
        SubscribedTopicNames = regex is null ? topics ?? ["presses"] : topics,
        SubscribedTopicRegex = regex,
        ServerAssignor = assignor,
        OwnedPartitions = [],
        ClientId = "app",
        ClientHost = "/127.0.0.1",
    };

    public ConsumerHeartbeatCall BeatCall(bool owned = true) => new()
    {
        ApiVersion = 1,
        GroupId = GroupFixture.GroupId,
        MemberId = MemberId,
        MemberEpoch = Epoch,
        InstanceId = InstanceId,
        OwnedPartitions = owned ? Owned : null,
        ClientId = "app",
        ClientHost = "/127.0.0.1",
    };

    /// <summary>A heartbeat that says all of itself, as clients send it when the last answer did not come or was an error.</summary>
    public ConsumerHeartbeatCall FullCall(params string[] topics)
        => BeatCall() with { RebalanceTimeoutMs = GroupFixture.RebalanceTimeout, SubscribedTopicNames = topics.Length > 0 ? topics : ["presses"] };

    public ConsumerHeartbeatResult Join(string[]? topics = null, string? regex = null, string? assignor = null)
    {
        var result = Take(fixture.Now(fixture.Coordinator.ConsumerHeartbeatAsync(JoinCall(topics, regex, assignor))));
        Owned = Told ?? [];
        return result;
    }

    /// <summary>A heartbeat without taking up what it brings.</summary>
    public ConsumerHeartbeatResult Beat(bool owned = true) => Take(fixture.Now(fixture.Coordinator.ConsumerHeartbeatAsync(BeatCall(owned))));

    public ConsumerHeartbeatResult Send(ConsumerHeartbeatCall call) => Take(fixture.Now(fixture.Coordinator.ConsumerHeartbeatAsync(call)));

    /// <summary>A heartbeat, and then has what it was told to have.</summary>
    public ConsumerHeartbeatResult Follow()
    {
        var result = Beat();
        if (result.Error == GroupError.None) Owned = Told ?? Owned;
        return result;
    }

    public ConsumerHeartbeatResult Leave(int epoch = -1)
        => fixture.Now(fixture.Coordinator.ConsumerHeartbeatAsync(BeatCall(false) with { MemberEpoch = epoch }));

    public ConsumerHeartbeatResult Take(ConsumerHeartbeatResult result)
    {
        if (result.Error != GroupError.None) return result;
        (MemberId, Epoch, Told) = (result.MemberId!, result.MemberEpoch, result.Assignment);
        return result;
    }
}
