using IotGateway.Broker.Groups.Core;

namespace IotGateway.Broker.Groups.Consumer;

/// <summary>Heartbeats: joining, following, leaving.</summary>
internal sealed partial class ConsumerGroup
{
    /// <summary>What is wrong with the request whatever the group; null: nothing.</summary>
    public static ConsumerHeartbeatResult? Check(ConsumerHeartbeatCall call)
    {
        if (call.GroupId.Length == 0) return Refuse(GroupError.InvalidRequest, "GroupId can't be empty.");
        if (call.MemberId.Length == 0 && (call.ApiVersion >= 1 || call.MemberEpoch is > 0 or -1))
            return Refuse(GroupError.InvalidRequest, "MemberId can't be empty.");
        if (call.InstanceId is "") return Refuse(GroupError.InvalidRequest, "InstanceId can't be empty.");
        if (call.RackId is "") return Refuse(GroupError.InvalidRequest, "RackId can't be empty.");
        if (call.MemberEpoch < ConsumerMember.AwayEpoch) return Refuse(GroupError.InvalidRequest, "MemberEpoch is invalid.");
        if (call.MemberEpoch == ConsumerMember.AwayEpoch && call.InstanceId is null)
            return Refuse(GroupError.InvalidRequest, "InstanceId can't be null.");
        if (call.MemberEpoch == 0)
        {
            if (call.RebalanceTimeoutMs < 0) return Refuse(GroupError.InvalidRequest, "RebalanceTimeoutMs must be provided in first request.");
            if (call.OwnedPartitions is not { Count: 0 })
                return Refuse(GroupError.InvalidRequest, "TopicPartitions must be empty when (re-)joining.");
            if (call.SubscribedTopicNames is null && call.SubscribedTopicRegex is null)
                return Refuse(GroupError.InvalidRequest, "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.");
        }
        if (call.ServerAssignor is { } asked && Assignors.All(assignor => assignor.Name != asked))
            return Refuse(GroupError.UnsupportedAssignor,
                $"ServerAssignor {asked} is not supported. Supported assignors: {string.Join(", ", Assignors.Select(assignor => assignor.Name))}.");
        return call.SubscribedTopicRegex is { Length: > 0 } regex && TopicPattern.TryParse(regex, out var error) is null
            ? Refuse(GroupError.InvalidRegularExpression, error)
            : null;
    }

    public void Heartbeat(ConsumerHeartbeatCall call, TopicSnapshot snapshot, TaskCompletionSource<ConsumerHeartbeatResult> answer)
    {
        var result = call.MemberEpoch < 0 ? Leave(call) : Follow(call, snapshot);
        if (result.Error != GroupError.None) answer.TrySetResult(result);
        else AnswerDurably(answer, result, Refuse(GroupError.CoordinatorNotAvailable, "The group could not be written to the log."));
    }

    ConsumerHeartbeatResult Follow(ConsumerHeartbeatCall call, TopicSnapshot snapshot)
    {
        var joins = call.MemberEpoch == 0;
        if (joins && !members.ContainsKey(call.MemberId) && members.Count >= Options.ConsumerMaxSize)
            return Refuse(GroupError.GroupMaxSizeReached, $"The consumer group has reached its maximum capacity of {Options.ConsumerMaxSize} members.");
        var owned = call.OwnedPartitions is null ? null : TopicPartitions.Flat(call.OwnedPartitions);
        var (member, refusal) = Identify(call, owned);
        if (member is null) return refusal!;

        var before = member.Assigned.Keys.ToHashSet();
        var changed = Subscribe(member, call);
        if (changed || seen != snapshot) changed |= Look(snapshot);
        if (changed) Retarget();
        Reconcile(member, owned);
        KeepAlive(member);
        var full = joins || (call.RebalanceTimeoutMs >= 0 && owned is not null && (call.SubscribedTopicNames ?? (object?)call.SubscribedTopicRegex) is not null);
        return new()
        {
            Error = GroupError.None,
            MemberId = member.Id,
            MemberEpoch = member.Epoch,
            HeartbeatIntervalMs = group.Environment.Settings.HeartbeatIntervalMs(group.Id),
            // Whoever did not get the answer with its assignment says all of itself again.
            Assignment = full || !before.SetEquals(member.Assigned.Keys)
                ? TopicPartitions.ByTopic(member.Assigned.Keys)
                : null,
        };
    }

    /// <summary>Finds the member, or makes it when it joins.</summary>
    (ConsumerMember? Member, ConsumerHeartbeatResult? Refusal) Identify(ConsumerHeartbeatCall call, HashSet<TopicPartition>? owned)
    {
        if (call.MemberEpoch == 0) return Admit(call);
        var (member, refusal) = Find(call);
        if (member is null) return (null, refusal);
        if (call.MemberEpoch > member.Epoch)
            return (null, Refuse(GroupError.FencedMemberEpoch,
                $"The consumer group member has a greater member epoch ({call.MemberEpoch}) than the one known by the group coordinator ({member.Epoch}). The member must abandon all its partitions and rejoin."));
        // The answer that raised the epoch may have been lost: fine, unless the member has more than it was given.
        if (call.MemberEpoch < member.Epoch
            && (call.MemberEpoch != member.PreviousEpoch || owned is null || !owned.All(member.Assigned.ContainsKey)))
            return (null, Refuse(GroupError.FencedMemberEpoch,
                $"The consumer group member has a smaller member epoch ({call.MemberEpoch}) than the one known by the group coordinator ({member.Epoch}). The member must abandon all its partitions and rejoin."));
        return (member, null);
    }

    (ConsumerMember? Member, ConsumerHeartbeatResult? Refusal) Find(ConsumerHeartbeatCall call)
    {
        if (call.InstanceId is { } instance)
        {
            if (!statics.TryGetValue(instance, out var holder))
                return (null, Refuse(GroupError.UnknownMemberId, $"Instance id {instance} is unknown."));
            if (holder != call.MemberId)
                return (null, Refuse(GroupError.FencedInstanceId, $"Static member {call.MemberId} with instance id {instance} was fenced by member {holder}."));
        }
        return members.TryGetValue(call.MemberId, out var member)
            ? (member, null)
            : (null, Refuse(GroupError.UnknownMemberId, $"Member {call.MemberId} is not a member of group {group.Id}."));
    }

    (ConsumerMember? Member, ConsumerHeartbeatResult? Refusal) Admit(ConsumerHeartbeatCall call)
    {
        ConsumerMember? former = null;
        if (call.InstanceId is { } instance && statics.TryGetValue(instance, out var holder)) former = members[holder];
        else if (members.TryGetValue(call.MemberId, out var same)) former = same;
        if (former is { Classic: null } && former.Id != call.MemberId && former.Epoch != ConsumerMember.AwayEpoch)
            return (null, Refuse(GroupError.UnreleasedInstanceId,
                $"Static member {call.MemberId} with instance id {call.InstanceId} cannot join the group because the instance id is owned by {former.Id} member."));

        // Before version 1 the broker may have to make the id.
        var member = new ConsumerMember(call.MemberId.Length > 0 ? call.MemberId : Guid.NewGuid().ToString()) { InstanceId = call.InstanceId };
        if (former is not null) Inherit(member, former);
        Add(member);
        return (member, null);
    }

    /// <summary>The member came anew. It has nothing any more, but what it had is kept for it: no other member need move.</summary>
    void Inherit(ConsumerMember member, ConsumerMember former)
    {
        Remove(former);
        member.Assigned = former.Assigned;
        member.Target = former.Target;
        (member.TopicNames, member.TopicRegex, member.Pattern, member.Topics) = (former.TopicNames, former.TopicRegex, former.Pattern, former.Topics);
        (member.Assignor, member.RackId, member.RebalanceTimeoutMs) = (former.Assignor, former.RackId, former.RebalanceTimeoutMs);
    }

    ConsumerHeartbeatResult Leave(ConsumerHeartbeatCall call)
    {
        var (member, refusal) = Find(call);
        if (member is null) return refusal!;
        if (call.MemberEpoch == ConsumerMember.AwayEpoch)
        {
            // It comes back under its instance id before its session ends: until then its partitions stay with it.
            Disown(member);
            member.PendingRevocation = [];
            Own(member);
            (member.PreviousEpoch, member.Epoch, member.State) = (member.Epoch, ConsumerMember.AwayEpoch, ReconcileState.Stable);
            member.RevocationDeadline = long.MaxValue;
            MarkDirty(member.Id);
        }
        else
        {
            Lose(member);
        }
        return new() { Error = GroupError.None, MemberId = member.Id, MemberEpoch = call.MemberEpoch };
    }

    static ConsumerHeartbeatResult Refuse(GroupError error, string? message) => new() { Error = error, ErrorMessage = message };
}
