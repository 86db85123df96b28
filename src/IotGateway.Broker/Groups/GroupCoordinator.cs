using Microsoft.Extensions.Logging;

namespace IotGateway.Broker.Groups;

/// <summary>
/// All consumer groups of the broker: membership by the classic protocol and by KIP-848, and committed offsets. Called by the
/// adapters of the group APIs on any thread; authorisation and topic ids are the adapters' business. Nothing here throws for what a
/// client sends: every refusal is a <see cref="GroupError"/>. What is answered as done is durable.
/// </summary>
internal sealed class GroupCoordinator : IAsyncDisposable
{
    /// <summary>Loads every group from <paramref name="store"/>; members kept there get a fresh session.</summary>
    public static GroupCoordinator Open(GroupOptions options, IGroupStore store, IGroupTopics topics, TimeProvider time, ILogger logger)
        => throw new NotSupportedException();

    /// <summary>Completes when the join phase does; at once with MEMBER_ID_REQUIRED for a member without an id (version 4 on).</summary>
    public Task<JoinGroupResult> JoinAsync(JoinGroupCall call) => throw new NotSupportedException();

    /// <summary>Completes when the leader's assignment is durable.</summary>
    public Task<SyncGroupResult> SyncAsync(SyncGroupCall call) => throw new NotSupportedException();

    /// <summary>Keeps a member alive.</summary>
    public GroupError Heartbeat(HeartbeatCall call) => throw new NotSupportedException();

    /// <summary>Removes members.</summary>
    public LeaveGroupResult Leave(LeaveGroupCall call) => throw new NotSupportedException();

    /// <summary>Commits offsets; completes when they are durable.</summary>
    public Task<OffsetResult> CommitOffsetsAsync(OffsetCommitCall call) => throw new NotSupportedException();

    /// <summary>Committed offsets of one group.</summary>
    public OffsetFetchResult FetchOffsets(OffsetFetchCall call) => throw new NotSupportedException();

    /// <summary>Deletes offsets of topics the group is not subscribed to.</summary>
    public Task<OffsetResult> DeleteOffsetsAsync(OffsetDeleteCall call) => throw new NotSupportedException();

    /// <summary>Deletes empty groups with their offsets.</summary>
    public Task<IReadOnlyList<DeletedGroup>> DeleteGroupsAsync(IReadOnlyList<string> groupIds) => throw new NotSupportedException();

    /// <summary>Describes classic groups; one that is not there is "Dead" up to version 5, GROUP_ID_NOT_FOUND from 6.</summary>
    public IReadOnlyList<DescribedGroup> Describe(IReadOnlyList<string> groupIds, int apiVersion) => throw new NotSupportedException();

    /// <summary>Lists groups; an empty filter lets all pass. Filters ignore case.</summary>
    public IReadOnlyList<ListedGroup> List(IReadOnlyList<string> states, IReadOnlyList<string> types) => throw new NotSupportedException();

    /// <summary>The whole life of a KIP-848 member.</summary>
    public Task<ConsumerHeartbeatResult> ConsumerHeartbeatAsync(ConsumerHeartbeatCall call) => throw new NotSupportedException();

    /// <summary>Describes consumer groups; GROUP_ID_NOT_FOUND for classic ones.</summary>
    public IReadOnlyList<DescribedConsumerGroup> DescribeConsumers(IReadOnlyList<string> groupIds) => throw new NotSupportedException();

    /// <summary>Ends timers and answers everyone who waits with COORDINATOR_NOT_AVAILABLE.</summary>
    public ValueTask DisposeAsync() => throw new NotSupportedException();
}
