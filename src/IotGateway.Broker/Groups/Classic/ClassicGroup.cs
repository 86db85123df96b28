using IotGateway.Broker.Groups.Core;
using IotGateway.Broker.Groups.Offsets;
using IotGateway.Broker.Groups.Storage;

namespace IotGateway.Broker.Groups.Classic;

/// <summary>
/// A group by the classic protocol: the clients elect a leader among them that assigns partitions. This file has the state and the
/// rules on it; joining, syncing and timers are in the other parts. Used inside the group only (see <see cref="Group"/>).
/// <para>
/// States: Empty → PreparingRebalance (waits until every member has joined, at most the longest rebalance timeout) →
/// CompletingRebalance (waits for the leader's assignment) → Stable; a member that comes, goes or changes leads back to
/// PreparingRebalance; without members Empty. Each way into CompletingRebalance or Empty makes a new generation, which is durable
/// before anybody hears of it, so that a generation number is never used twice.
/// </para>
/// </summary>
internal sealed partial class ClassicGroup(Group group) : GroupMembers, IClassicProtocol
{
    public const string ConsumerProtocolType = "consumer";

    readonly OrderedDictionary<string, ClassicMember> members = new(StringComparer.Ordinal);
    readonly Dictionary<string, string> statics = new(StringComparer.Ordinal);
    readonly Dictionary<string, long> pendingMembers = new(StringComparer.Ordinal);
    readonly HashSet<string> pendingSyncs = new(StringComparer.Ordinal);
    ClassicState state = ClassicState.Empty;
    string? protocolType;
    string? protocol;
    string? leader;
    int generation;
    long stateSince = group.Environment.Clock.Kept;
    /// <summary>Topics of all members by the chosen protocol; null when their metadata is not the consumers' own.</summary>
    HashSet<string>? subscribed;

    long Now => group.Environment.Clock.Now;
    GroupOptions Options => group.Environment.Options;

    public override string Type => "classic";
    public override string State => state.ToString();
    public override string ProtocolType => protocolType ?? "";
    public override bool IsEmpty => members.Count == 0;
    public override bool IsAbandoned => IsEmpty && pendingMembers.Count == 0 && state == ClassicState.Empty;

    public override GroupError CheckCommit(OffsetCommitCall call, bool transactional)
    {
        if (call.GenerationOrEpoch < 0 && state == ClassicState.Empty) return GroupError.None; // a simple consumer
        if (call.GenerationOrEpoch >= 0 || call.MemberId.Length > 0 || call.InstanceId is not null)
        {
            var error = CheckMember(call.MemberId, call.InstanceId);
            if (error != GroupError.None) return error;
            if (call.GenerationOrEpoch != generation) return GroupError.IllegalGeneration;
        }
        else if (!transactional && state != ClassicState.Empty)
        {
            return GroupError.UnknownMemberId;
        }
        if (state == ClassicState.CompletingRebalance) return GroupError.RebalanceInProgress;
        if (members.TryGetValue(call.MemberId, out var member)) KeepAlive(member);
        return GroupError.None;
    }

    public override GroupError CheckFetch(OffsetFetchCall call) => GroupError.None;

    public override GroupError CheckOffsetDelete()
        => state == ClassicState.Empty || protocolType == ConsumerProtocolType ? GroupError.None : GroupError.NonEmptyGroup;

    public override bool IsSubscribed(string topic)
        => !IsEmpty && (subscribed is null ? protocolType == ConsumerProtocolType : subscribed.Contains(topic));

    public override long? RetentionBase(string topic, CommittedOffset offset)
    {
        if (protocolType is null) return offset.CommittedAt;
        if (state == ClassicState.Empty) return Math.Max(stateSince, offset.CommittedAt);
        return state == ClassicState.Stable && subscribed is not null && !subscribed.Contains(topic) ? offset.CommittedAt : null;
    }

    public override IEnumerable<TableWrite> Tombstones() => [new(GroupTables.Classic, GroupTables.Key(group.Id), null)];

    public override void Abandon() => AnswerAll(GroupError.CoordinatorNotAvailable);

    void AnswerAll(GroupError error)
    {
        foreach (var member in members.Values)
        {
            member.AnswerJoin(Refusal(error, member.Id));
            member.AnswerSync(new() { Error = error });
        }
    }

    public DescribedGroup Describe() => new()
    {
        GroupId = group.Id,
        State = State,
        ProtocolType = ProtocolType,
        Protocol = state == ClassicState.Stable ? protocol ?? "" : "",
        Members = [.. members.Values.Select(member => new DescribedMember(member.Id, member.InstanceId, member.ClientId, member.ClientHost,
            state == ClassicState.Stable ? member.MetadataFor(protocol) : default, member.Assignment))],
    };

    /// <summary>Whether the member is who it says: known, and not replaced by another with the same instance id.</summary>
    GroupError CheckMember(string memberId, string? instanceId)
    {
        if (instanceId is null) return members.ContainsKey(memberId) ? GroupError.None : GroupError.UnknownMemberId;
        if (!statics.TryGetValue(instanceId, out var current)) return GroupError.UnknownMemberId;
        return current == memberId ? GroupError.None : GroupError.FencedInstanceId;
    }

    /// <summary>Whether all members, and the one that asks, have a protocol in common.</summary>
    bool Fits(string type, IReadOnlyList<JoinProtocol> protocols)
    {
        if (type.Length == 0 || protocols.Count == 0) return false;
        if (IsEmpty) return true;
        return type == protocolType
            && protocols.Any(offered => members.Values.All(member => member.Protocols.Any(known => known.Name == offered.Name)));
    }

    /// <summary>Every member votes for the first of its protocols that all members have; most votes win.</summary>
    string? ElectProtocol()
    {
        HashSet<string>? common = null;
        foreach (var member in members.Values)
        {
            var offered = member.Protocols.Select(protocol => protocol.Name);
            if (common is null) common = [.. offered];
            else common.IntersectWith(offered);
        }
        if (common is null || common.Count == 0) return null;
        return members.Values
            .Select(member => member.Protocols.First(offered => common.Contains(offered.Name)).Name)
            .CountBy(name => name)
            .MaxBy(votes => votes.Value).Key;
    }

    void Become(ClassicState next)
    {
        state = next;
        stateSince = group.Environment.Clock.Kept;
    }

    /// <summary>The next generation, with or without members.</summary>
    void NextGeneration()
    {
        generation++;
        pendingSyncs.Clear();
        if (IsEmpty)
        {
            (protocol, leader, subscribed) = (null, null, protocolType == ConsumerProtocolType ? [] : null);
            Become(ClassicState.Empty);
            return;
        }
        protocol = ElectProtocol();
        Subscribe();
        Become(ClassicState.CompletingRebalance);
    }

    void Subscribe() => subscribed = protocolType == ConsumerProtocolType
        ? ConsumerSubscription.Union(members.Values.Select(member => member.MetadataFor(protocol)))
        : null;

    void Add(ClassicMember member)
    {
        leader ??= member.Id;
        members[member.Id] = member;
        if (member.InstanceId is { } instance) statics[instance] = member.Id;
    }

    void Remove(ClassicMember member)
    {
        members.Remove(member.Id);
        pendingSyncs.Remove(member.Id);
        if (member.InstanceId is { } instance && statics.GetValueOrDefault(instance) == member.Id) statics.Remove(instance);
        if (leader == member.Id) leader = members.Count > 0 ? members.GetAt(0).Key : null;
        member.AnswerJoin(Refusal(GroupError.UnknownMemberId, ""));
        member.AnswerSync(new() { Error = GroupError.UnknownMemberId });
    }

    static JoinGroupResult Refusal(GroupError error, string memberId) => new() { Error = error, MemberId = memberId };
}

/// <summary>The names are Kafka's, as DescribeGroups and ListGroups show them.</summary>
internal enum ClassicState
{
    Empty,
    PreparingRebalance,
    CompletingRebalance,
    Stable,
}
