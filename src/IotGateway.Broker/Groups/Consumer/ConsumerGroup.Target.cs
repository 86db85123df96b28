using IotGateway.Broker.Groups.Core;

namespace IotGateway.Broker.Groups.Consumer;

/// <summary>Subscriptions, the target assignment, the way to it, and deadlines.</summary>
internal sealed partial class ConsumerGroup
{
    static bool Differs(IReadOnlyList<string> a, IReadOnlyList<string> b) => !a.ToHashSet(StringComparer.Ordinal).SetEquals(b);

    /// <summary>Takes up what the heartbeat says of the member; true: its subscription is another.</summary>
    bool Subscribe(ConsumerMember member, ConsumerHeartbeatCall call)
    {
        var (changed, other) = (false, false);
        member.Sees = call.Sees;
        if (call.SubscribedTopicNames is { } names && Differs(names, member.TopicNames))
        {
            member.TopicNames = [.. names.Distinct(StringComparer.Ordinal)];
            changed = true;
        }
        if (call.SubscribedTopicRegex is { } regex && regex != (member.TopicRegex ?? ""))
        {
            member.TopicRegex = regex.Length == 0 ? null : regex;
            member.Pattern = regex.Length == 0 ? null : TopicPattern.TryParse(regex, out _);
            (other, seen) = (true, null); // a change if it finds other topics
        }
        var touched = changed || other || (call.ServerAssignor ?? member.Assignor) != member.Assignor || (call.RackId ?? member.RackId) != member.RackId
            || (call.RebalanceTimeoutMs >= 0 && call.RebalanceTimeoutMs != member.RebalanceTimeoutMs)
            || call.ClientId != member.ClientId || call.ClientHost != member.ClientHost;
        if (!touched) return false;
        member.Assignor = call.ServerAssignor ?? member.Assignor; // asked when there is something to share out
        member.RackId = call.RackId ?? member.RackId;
        if (call.RebalanceTimeoutMs >= 0) member.RebalanceTimeoutMs = call.RebalanceTimeoutMs;
        (member.ClientId, member.ClientHost) = (call.ClientId, call.ClientHost);
        if (changed) member.Topics = [];
        MarkDirty(member.Id);
        return changed;
    }

    /// <summary>Looks which topics the members read now; true: others, or with other partitions, than before.</summary>
    bool Look(TopicSnapshot snapshot)
    {
        seen = snapshot;
        Dictionary<string, GroupTopic> read = new(StringComparer.Ordinal);
        var changed = false;
        foreach (var member in members.Values)
        {
            var names = member.Pattern is { } pattern ? member.TopicNames.Union(snapshot.Names.Where(name => pattern.Matches(name) && member.Sees?.Invoke(name) != false)) : member.TopicNames;
            string[] there = [.. names.Where(name => snapshot.Find(name) is not null).Order(StringComparer.Ordinal)];
            changed |= !there.SequenceEqual(member.Topics);
            member.Topics = there;
            foreach (var name in there) read[name] = snapshot.Find(name)!.Value;
        }
        if (read.Count == topics.Count && read.All(topic => topics.TryGetValue(topic.Key, out var known) && known == topic.Value)) return changed;
        topics = read;
        return true;
    }

    /// <summary>Raises the group epoch and makes the target for it.</summary>
    void Retarget()
    {
        groupEpoch++;
        Assign();
    }

    void Assign()
    {
        AssigneeMember[] assignees = [.. members.Values.Select(member
            => new AssigneeMember(member.Id, member.InstanceId, [.. member.Topics.Where(topics.ContainsKey)], member.Target))];
        var target = ChooseAssignor().Assign(assignees, topics);
        foreach (var member in members.Values)
        {
            if (member.Target.SetEquals(target[member.Id])) continue;
            member.Target = target[member.Id];
            MarkDirty(member.Id);
        }
        targetEpoch = groupEpoch;
        headerDirty = true;
    }

    void Reconcile(ConsumerMember member, HashSet<TopicPartition>? owned)
    {
        if (targetEpoch < groupEpoch) Assign();
        if (Reconciler.Next(member, targetEpoch, owned, item => !owners.ContainsKey(item)) is not { } step) return;
        var same = step.Epoch == member.Epoch && step.State == member.State && step.Assigned.Count == member.Assigned.Count
            && step.PendingRevocation.SetEquals(member.PendingRevocation) && step.Assigned.Keys.All(member.Assigned.ContainsKey);
        if (same) return;
        Disown(member);
        member.PreviousEpoch = step.Epoch == member.Epoch ? member.PreviousEpoch : member.Epoch;
        (member.Epoch, member.State, member.Assigned, member.PendingRevocation) = (step.Epoch, step.State, step.Assigned, step.PendingRevocation);
        Own(member);
        MarkDirty(member.Id);
        member.RevocationDeadline = step.State == ReconcileState.Revoking ? Now + member.RebalanceTimeoutMs : long.MaxValue;
        group.Arm(member.RevocationDeadline);
    }

    /// <summary>The members are gone; who stays gets their partitions with the next heartbeats.</summary>
    void Lose(params IEnumerable<ConsumerMember> lost)
    {
        foreach (var member in lost) Remove(member);
        if (TryHandOver()) return;
        groupEpoch++;
        headerDirty = true;
        if (IsEmpty) topics.Clear();
        else seen = null;
    }

    void KeepAlive(ConsumerMember member)
    {
        member.SessionDeadline = Now + (member.Classic?.SessionTimeoutMs ?? group.Environment.Settings.SessionTimeoutMs(group.Id));
        group.Arm(member.SessionDeadline);
    }

    public override void Tick(long now)
    {
        var lost = members.Values.Where(member => member.SessionDeadline <= now || member.RevocationDeadline <= now || member.Classic?.Deadline <= now).ToArray();
        foreach (var member in lost)
            if (!replaced) Lose(member);
        if (lost.Length > 0) Save(static _ => { });
        foreach (var member in members.Values)
        {
            group.Arm(member.SessionDeadline);
            group.Arm(member.RevocationDeadline);
            if (member.Classic is { } classic) group.Arm(classic.Deadline);
        }
    }
}
