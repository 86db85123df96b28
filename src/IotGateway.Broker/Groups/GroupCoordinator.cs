using IotGateway.Broker.Groups.Classic;
using IotGateway.Broker.Groups.Consumer;
using IotGateway.Broker.Groups.Core;
using IotGateway.Broker.Groups.Offsets;
using IotGateway.Broker.Groups.Storage;
using IotGateway.Log;
using Microsoft.Extensions.Logging;

namespace IotGateway.Broker.Groups;

/// <summary>
/// All consumer groups of the broker: membership by the classic protocol and by KIP-848, and committed offsets. Called by the
/// adapters of the group APIs on any thread; authorisation and topic ids are the adapters' business. Nothing here throws for what a
/// client sends: every refusal is a <see cref="GroupError"/>. What is answered as done is durable.
/// </summary>
internal sealed partial class GroupCoordinator : IAsyncDisposable
{
    readonly GroupEnvironment environment;
    readonly GroupLoop loop;
    readonly GroupRegistry groups;
    readonly TopicSnapshots snapshots;
    readonly OffsetCommits offsets;
    readonly OffsetCleaner cleaner;
    readonly ITimer expiry;
    readonly ITimer topicCheck;
    volatile bool stopped;

    GroupCoordinator(GroupOptions options, IGroupStore store, IGroupTopics topics, LogClock clock, TimeProvider time, ILogger logger)
    {
        environment = new(options, new(options), new GroupClock(clock, time), topics, logger);
        loop = new(store, environment.Clock, time, logger);
        groups = new(environment, loop);
        snapshots = new(topics);
        offsets = new(groups, environment);
        cleaner = new(groups, environment, Pending);
        expiry = time.CreateTimer(_ => cleaner.Expire(), null, options.OffsetsRetentionCheckInterval, options.OffsetsRetentionCheckInterval);
        topicCheck = time.CreateTimer(_ => cleaner.DropDeletedTopics(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Loads every group from <paramref name="store"/>; members kept there get a fresh session.</summary>
    /// <exception cref="InvalidDataException">A later gateway wrote the groups.</exception>
    public static GroupCoordinator Open(GroupOptions options, IGroupStore store, IGroupTopics topics, LogClock clock, TimeProvider time, ILogger logger)
    {
        GroupCoordinator coordinator = new(options, store, topics, clock, time, logger);
        coordinator.Load(store);
        topics.Changed += coordinator.OnTopicsChanged;
        coordinator.OnTopicsChanged(); // topics may have gone while the groups were not looking
        return coordinator;
    }

    /// <summary>Offsets that open transactions will still change; these write them down here.</summary>
    public PendingOffsets Pending { get; } = new();

    /// <summary>What is set of single groups.</summary>
    public GroupSettings Settings => environment.Settings;

    /// <summary>Completes when the join phase does; at once with MEMBER_ID_REQUIRED for a member without an id (version 4 on).</summary>
    public Task<JoinGroupResult> JoinAsync(JoinGroupCall call)
    {
        if (Refusal(call.GroupId) is var refusal and not GroupError.None) return Task.FromResult(Refuse(refusal));
        if (call.SessionTimeoutMs < environment.Options.MinSessionTimeout.TotalMilliseconds
            || call.SessionTimeoutMs > environment.Options.MaxSessionTimeout.TotalMilliseconds)
            return Task.FromResult(Refuse(GroupError.InvalidSessionTimeout));

        var answer = Answer<JoinGroupResult>();
        var snapshot = snapshots.Current;
        if (call.MemberId.Length == 0) groups.Enter(call.GroupId, Join);
        else if (!groups.TryEnter(call.GroupId, Join, out _)) answer.TrySetResult(Refuse(GroupError.UnknownMemberId));
        return answer.Task;

        bool Join(Group group)
        {
            if (group.Deleting) answer.TrySetResult(Refuse(GroupError.CoordinatorLoadInProgress));
            else if (group.Members is ClassicGroup classic) classic.Join(call, answer);
            else if (group.Members.IsEmpty) TakeOver(group).Join(call, answer);
            else if (group.Members is ConsumerGroup consumer) consumer.Join(call, snapshot, answer);
            else answer.TrySetResult(Refuse(GroupError.InconsistentGroupProtocol));
            return true;
        }

        JoinGroupResult Refuse(GroupError error) => new() { Error = error, MemberId = call.MemberId };
    }

    /// <summary>Completes when the leader's assignment is durable.</summary>
    public Task<SyncGroupResult> SyncAsync(SyncGroupCall call)
    {
        if (Refusal(call.GroupId) is var refusal and not GroupError.None) return Task.FromResult(new SyncGroupResult { Error = refusal });
        var answer = Answer<SyncGroupResult>();
        if (!InClassic(call.GroupId, classic =>
        {
            classic.Sync(call, answer);
            return true;
        }, false)) answer.TrySetResult(new() { Error = GroupError.UnknownMemberId });
        return answer.Task;
    }

    /// <summary>Keeps a member alive.</summary>
    public GroupError Heartbeat(HeartbeatCall call) => Refusal(call.GroupId) is var refusal and not GroupError.None
        ? refusal
        : InClassic(call.GroupId, classic => classic.Heartbeat(call), GroupError.UnknownMemberId);

    /// <summary>Removes members.</summary>
    public LeaveGroupResult Leave(LeaveGroupCall call)
    {
        if (Refusal(call.GroupId) is var refusal and not GroupError.None) return new(refusal, []);
        var result = InClassic(call.GroupId, classic => classic.Leave(call), new(GroupError.None,
            [.. call.Members.Select(member => new LeftMember(member.MemberId, member.InstanceId, GroupError.UnknownMemberId))]));
        return call.ApiVersion >= 3 || result.Members.Count == 0 ? result : result with { Error = result.Members[0].Error };
    }

    /// <summary>Commits offsets; completes when they are durable.</summary>
    public Task<OffsetResult> CommitOffsetsAsync(OffsetCommitCall call) => offsets.CommitAsync(call);

    /// <summary>Which of these offsets a transaction may commit at its end, if the group lets it: see <see cref="CheckTransactional"/>.</summary>
    public (OffsetResult Verdict, IReadOnlyList<(string Topic, int Partition, CommittedOffset Offset)> Offsets) PlanTransactional(OffsetCommitCall call)
    {
        var (verdicts, planned) = offsets.PlanTransactional(call);
        return (new(Refusal(call.GroupId), verdicts), planned);
    }

    /// <summary>Whether the group lets a transaction commit its offsets.</summary>
    public GroupError CheckTransactional(OffsetCommitCall call)
        => Refusal(call.GroupId) is var refusal and not GroupError.None ? refusal : offsets.CheckTransactional(call);

    /// <summary>A group for which a transaction holds offsets is there, if only with these.</summary>
    public void Hold(string groupId) => groups.Enter(groupId, static _ => true);

    /// <summary>Takes over offsets that a transaction has made durable.</summary>
    public void Committed(string groupId, IReadOnlyList<(string Topic, int Partition, CommittedOffset Offset)> committed) => offsets.Committed(groupId, committed);

    /// <summary>Committed offsets of one group.</summary>
    public OffsetFetchResult FetchOffsets(OffsetFetchCall call) => offsets.Fetch(call);

    /// <summary>Deletes offsets of topics the group is not subscribed to.</summary>
    public Task<OffsetResult> DeleteOffsetsAsync(OffsetDeleteCall call) => Refusal(call.GroupId) is var refusal and not GroupError.None
        ? Task.FromResult(new OffsetResult(refusal, []))
        : offsets.DeleteAsync(call);

    /// <summary>Ends timers and answers everyone who waits with COORDINATOR_NOT_AVAILABLE.</summary>
    public async ValueTask DisposeAsync()
    {
        stopped = true;
        environment.Topics.Changed -= OnTopicsChanged;
        loop.Dispose();
        await expiry.DisposeAsync().ConfigureAwait(false);
        await topicCheck.DisposeAsync().ConfigureAwait(false);
        foreach (var group in groups.All) loop.Enter(group, g => g.Members.Abandon());
    }

    void Load(IGroupStore store)
    {
        foreach (var (key, value) in store.Scan(GroupTables.Classic))
        {
            using var reader = GroupTables.Reader(key);
            var record = ClassicRecord.Read(value);
            loop.Enter(groups.GetOrAdd(reader.ReadString()), group => ((ClassicGroup)group.Members).Load(record));
        }
        LoadConsumers(store);
        foreach (var (key, value) in store.Scan(GroupTables.Offsets))
        {
            var (id, topic, partition, offset) = GroupTables.ReadOffset(key, value);
            // What lies ahead was committed now: what is committed from here on comes after it.
            var known = offset with { CommittedAt = Math.Min(offset.CommittedAt, environment.Clock.Kept) };
            loop.Enter(groups.GetOrAdd(id), group => group.Offsets.Set(topic, partition, known));
        }
    }

    /// <summary>Topics change on the log's own thread, which must not wait for groups.</summary>
    void OnTopicsChanged()
    {
        snapshots.Expire();
        topicCheck.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    GroupError Refusal(string groupId)
        => stopped ? GroupError.CoordinatorNotAvailable : groupId.Length == 0 ? GroupError.InvalidGroupId : GroupError.None;

    T InClassic<T>(string groupId, Func<IClassicProtocol, T> step, T otherwise)
        => groups.TryEnter(groupId, group => group.Members is IClassicProtocol classic ? step(classic) : otherwise, out var result) ? result : otherwise;

    /// <summary>An empty consumer group becomes a classic one; its offsets stay.</summary>
    static ClassicGroup TakeOver(Group group)
    {
        ClassicGroup classic = new(group);
        group.Replace(classic);
        return classic;
    }

    static TaskCompletionSource<T> Answer<T>() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
