using IotGateway.Broker.Groups.Core;
using IotGateway.Broker.Groups.Offsets;

namespace IotGateway.Broker.Groups.Consumer;

/// <summary>
/// A group by the consumer protocol (KIP-848): the broker assigns, members follow by heartbeats. This file has the state and the
/// rules on it; heartbeats, targets, deadlines and keeping are in the other parts. Used inside the group only (see <see cref="Group"/>).
/// <para>
/// Invariants: a change of subscriptions or topics, and a member that leaves, raises the group epoch; the target assignment is made anew for it within
/// the same step. A member's epoch is that of the target it follows. <see cref="owners"/> names, for every partition a member has or
/// has yet to give up, that one member. A member hears of a change only when it is durable.
/// </para>
/// </summary>
internal sealed partial class ConsumerGroup(Group group) : GroupMembers, IClassicProtocol
{
    static readonly IAssignor[] Assignors = [new UniformAssignor(), new RangeAssignor()]; // the first is the default

    readonly OrderedDictionary<string, ConsumerMember> members = new(StringComparer.Ordinal);
    readonly Dictionary<string, string> statics = new(StringComparer.Ordinal);
    readonly Dictionary<TopicPartition, string> owners = [];
    /// <summary>Topics at least one member reads, as they were when the group epoch was last raised.</summary>
    Dictionary<string, GroupTopic> topics = new(StringComparer.Ordinal);
    int groupEpoch = 1; // without anything to read
    int targetEpoch = 1;
    TopicSnapshot? seen;

    long Now => group.Environment.Clock.Now;
    GroupOptions Options => group.Environment.Options;

    public override string Type => "consumer";
    public override string ProtocolType => "consumer";
    public override bool IsEmpty => members.Count == 0;

    public override string State
        => IsEmpty ? "Empty"
        : groupEpoch > targetEpoch ? "Assigning"
        : members.Values.All(member => member.State == ReconcileState.Stable && member.Epoch == targetEpoch) ? "Stable"
        : "Reconciling";

    public override GroupError CheckCommit(OffsetCommitCall call, bool transactional)
    {
        if (call.GenerationOrEpoch < 0 && IsEmpty) return GroupError.None;
        if (call.GenerationOrEpoch < 0 && transactional && call.MemberId.Length == 0 && call.InstanceId is null) return GroupError.None;
        if (!members.TryGetValue(call.MemberId, out var member)) return GroupError.UnknownMemberId;
        if (member.Classic is not null) return CheckClassicCommit(member, call);
        if (!transactional && call.ApiVersion < 9) return GroupError.UnsupportedVersion; // has no error for a stale epoch
        if (call.GenerationOrEpoch == member.Epoch) return GroupError.None;
        if (call.GenerationOrEpoch > member.Epoch || call.GenerationOrEpoch < 0) return GroupError.StaleMemberEpoch;
        // Sent before the member heard of its new epoch: fine for partitions it has had since (KIP-1251).
        return call.Topics.All(topic => topics.TryGetValue(topic.Topic, out var known)
            && topic.Partitions.All(item => member.Assigned.TryGetValue(new(known.Id, item.Partition), out var since) && since <= call.GenerationOrEpoch))
            ? GroupError.None
            : GroupError.StaleMemberEpoch;
    }

    public override GroupError CheckFetch(OffsetFetchCall call)
    {
        if (call.MemberId is null && call.MemberEpoch < 0) return GroupError.None;
        if (call.MemberId is null || !members.TryGetValue(call.MemberId, out var member)) return GroupError.UnknownMemberId;
        return call.MemberEpoch == member.Epoch ? GroupError.None : GroupError.StaleMemberEpoch;
    }

    public override GroupError CheckOffsetDelete() => GroupError.None;

    public override bool IsSubscribed(string topic) => members.Values.Any(member => member.TopicNames.Contains(topic)) || topics.ContainsKey(topic);

    public override long? RetentionBase(string topic, CommittedOffset offset) => IsSubscribed(topic) ? null : offset.CommittedAt;

    public override void Abandon()
    {
        // Nobody waits: a heartbeat is answered as soon as it is durable.
    }

    public DescribedConsumerGroup Describe(TopicSnapshot all) => new()
    {
        GroupId = group.Id,
        State = State,
        GroupEpoch = groupEpoch,
        AssignmentEpoch = targetEpoch,
        AssignorName = ChooseAssignor().Name,
        Members = [.. members.Values.Select(member => new DescribedConsumer
        {
            MemberId = member.Id,
            InstanceId = member.InstanceId,
            RackId = member.RackId,
            MemberEpoch = member.Epoch,
            ClientId = member.ClientId,
            ClientHost = member.ClientHost,
            IsClassic = member.Classic is not null,
            SubscribedTopicNames = member.TopicNames,
            SubscribedTopicRegex = member.TopicRegex,
            Assignment = Named(member.Assigned.Keys.Union(member.PendingRevocation), all),
            TargetAssignment = Named(member.Target, all),
        })],
    };

    static IReadOnlyList<NamedTopicPartitions> Named(IEnumerable<TopicPartition> partitions, TopicSnapshot all)
        => [.. TopicPartitions.ByTopic(partitions).Select(topic => (topic, all.Find(topic.TopicId)))
            .Where(item => item.Item2 is not null)
            .Select(item => new NamedTopicPartitions(item.topic.TopicId, item.Item2!.Value.Name, item.topic.Partitions))];

    void Add(ConsumerMember member)
    {
        members[member.Id] = member;
        if (member.InstanceId is { } instance) statics[instance] = member.Id;
        Own(member);
        MarkDirty(member.Id);
    }

    void Remove(ConsumerMember member)
    {
        Disown(member);
        members.Remove(member.Id);
        if (member.InstanceId is { } instance && statics.GetValueOrDefault(instance) == member.Id) statics.Remove(instance);
        MarkDirty(member.Id);
    }

    void Own(ConsumerMember member)
    {
        foreach (var item in member.Assigned.Keys) owners[item] = member.Id;
        foreach (var item in member.PendingRevocation) owners[item] = member.Id;
    }

    void Disown(ConsumerMember member)
    {
        foreach (var item in member.Assigned.Keys) owners.Remove(item);
        foreach (var item in member.PendingRevocation) owners.Remove(item);
    }

    /// <summary>The one most members ask for.</summary>
    IAssignor ChooseAssignor()
    {
        var asked = members.Values.Where(member => member.Assignor is not null).CountBy(member => member.Assignor!)
            .OrderByDescending(votes => votes.Value).Select(votes => votes.Key).FirstOrDefault();
        return Assignors.FirstOrDefault(assignor => assignor.Name == asked) ?? Assignors[0];
    }
}
