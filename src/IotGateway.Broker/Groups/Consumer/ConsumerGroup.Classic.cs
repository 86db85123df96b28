using IotGateway.Broker.Groups.Classic;
using IotGateway.Broker.Groups.Core;
using IotGateway.Broker.Groups.Offsets;

namespace IotGateway.Broker.Groups.Consumer;

/// <summary>
/// Members that still speak the classic protocol, in a group on its way to the other one (KIP-848, "Migration"). The broker assigns to them as to
/// all: joining tells what they have and takes the next step, syncing hands them what they get, heartbeats send them to join when there is a step to take.
/// </summary>
internal sealed partial class ConsumerGroup
{
    public void Join(JoinGroupCall call, TopicSnapshot snapshot, TaskCompletionSource<JoinGroupResult> answer)
    {
        if (!members.ContainsKey(call.MemberId) && members.Count >= Options.ConsumerMaxSize)
        {
            answer.TrySetResult(Refusal(GroupError.GroupMaxSizeReached, ""));
        }
        else if (!Fits(call) || ConsumerSubscription.Read(call.Protocols[0].Metadata) is not { } subscription)
        {
            answer.TrySetResult(Refusal(GroupError.InconsistentGroupProtocol, ""));
        }
        else if (call is { MemberId.Length: 0, InstanceId: null, ApiVersion: >= 4 }) // KIP-394
        {
            answer.TrySetResult(Refusal(GroupError.MemberIdRequired, $"{call.ClientId}-{Guid.NewGuid()}"));
        }
        else if (AdmitClassic(call, out var error) is not { } member)
        {
            answer.TrySetResult(Refusal(error, ""));
        }
        else
        {
            JoinAs(member, call, subscription, snapshot);
            var result = new JoinGroupResult
            {
                Error = GroupError.None,
                Generation = member.Epoch,
                ProtocolType = ProtocolType,
                Protocol = call.Protocols[0].Name,
                MemberId = member.Id,
            };
            AnswerDurably(answer, result, Refusal(GroupError.CoordinatorNotAvailable, member.Id));
        }
    }

    public void Sync(SyncGroupCall call, TaskCompletionSource<SyncGroupResult> answer)
    {
        var error = FindClassic(call.MemberId, call.InstanceId, out var member);
        if (error == GroupError.None && call.Generation != member!.Epoch) error = GroupError.IllegalGeneration;
        if (error == GroupError.None && ((call.ProtocolType ?? ProtocolType) != ProtocolType || (call.Protocol is { } name && name != member!.Classic!.Protocols[0].Name)))
            error = GroupError.InconsistentGroupProtocol;
        if (error != GroupError.None)
        {
            answer.TrySetResult(new() { Error = error });
            return;
        }
        member!.Classic!.Deadline = long.MaxValue;
        KeepAlive(member);
        var result = new SyncGroupResult
        {
            Error = GroupError.None,
            ProtocolType = ProtocolType,
            Protocol = member.Classic.Protocols[0].Name,
            Assignment = AssignmentOf(member),
        };
        AnswerDurably(answer, result, new() { Error = GroupError.CoordinatorNotAvailable });
    }

    public GroupError Heartbeat(HeartbeatCall call)
    {
        var error = FindClassic(call.MemberId, call.InstanceId, out var member);
        if (error != GroupError.None) return error;
        if (call.Generation != member!.Epoch) return GroupError.IllegalGeneration;
        KeepAlive(member);
        if (!HasStepToTake(member)) return GroupError.None;
        var classic = member.Classic!;
        classic.Deadline = Math.Min(classic.Deadline, Now + member.RebalanceTimeoutMs);
        group.Arm(classic.Deadline);
        return GroupError.RebalanceInProgress;
    }

    /// <summary>Removes members, also those by the consumer protocol: tools remove members this way.</summary>
    public LeaveGroupResult Leave(LeaveGroupCall call)
    {
        List<LeftMember> left = [];
        HashSet<ConsumerMember> going = [];
        foreach (var leaving in call.Members)
        {
            var id = leaving.MemberId;
            if (id.Length == 0 && leaving.InstanceId is { } instance) id = statics.GetValueOrDefault(instance, "");
            var error = Find(id, leaving.InstanceId, out var member);
            if (member is not null) going.Add(member);
            left.Add(new(leaving.MemberId, leaving.InstanceId, error));
        }
        if (going.Count > 0)
        {
            Lose(going);
            Save(static _ => { });
        }
        return new(GroupError.None, left);
    }

    /// <summary>A new epoch, something to give up, or something that has become free.</summary>
    bool HasStepToTake(ConsumerMember member) => member.Epoch < groupEpoch
        || member.State == ReconcileState.Revoking
        || (member.State == ReconcileState.Waiting && member.Target.All(item => member.Assigned.ContainsKey(item) || !owners.ContainsKey(item)));

    /// <summary>Whether it is a consumer, with a protocol that all others of its kind have too.</summary>
    bool Fits(JoinGroupCall call) => call.ProtocolType == ProtocolType && call.Protocols.Any(offered
        => members.Values.All(member => member.Classic is null || member.Id == call.MemberId || member.Classic.Protocols.Any(known => known.Name == offered.Name)));

    GroupError FindClassic(string memberId, string? instanceId, out ConsumerMember? member)
    {
        var error = Find(memberId, instanceId, out member);
        return error == GroupError.None && member!.Classic is null ? GroupError.UnknownMemberId : error;
    }

    GroupError Find(string memberId, string? instanceId, out ConsumerMember? member)
    {
        member = null;
        if (instanceId is not null)
        {
            if (!statics.TryGetValue(instanceId, out var holder)) return GroupError.UnknownMemberId;
            if (holder != memberId) return GroupError.FencedInstanceId;
        }
        return members.TryGetValue(memberId, out member) ? GroupError.None : GroupError.UnknownMemberId;
    }

    static GroupError CheckClassicCommit(ConsumerMember member, OffsetCommitCall call)
        => call.GenerationOrEpoch == member.Epoch ? GroupError.None : GroupError.IllegalGeneration;

    ConsumerMember? AdmitClassic(JoinGroupCall call, out GroupError error)
    {
        error = GroupError.None;
        ConsumerMember? former = null;
        if (call.InstanceId is { } instance)
        {
            if (statics.TryGetValue(instance, out var holder)) former = members[holder];
            if (call.MemberId.Length > 0 && former?.Id != call.MemberId) error = former is null ? GroupError.UnknownMemberId : GroupError.FencedInstanceId;
            if (error != GroupError.None) return null;
        }
        else
        {
            members.TryGetValue(call.MemberId, out former);
        }
        if (former is not null && former.Id == call.MemberId) return former;
        var member = new ConsumerMember(call.MemberId.Length > 0 ? call.MemberId : $"{call.InstanceId ?? call.ClientId}-{Guid.NewGuid()}") { InstanceId = call.InstanceId };
        if (former is not null) Inherit(member, former);
        Add(member);
        return member;
    }

    void JoinAs(ConsumerMember member, JoinGroupCall call, ConsumerSubscription subscription, TopicSnapshot snapshot)
    {
        var changed = Differs(subscription.Topics, member.TopicNames) || member.TopicRegex is not null || member.Assignor is not null;
        if (changed)
        {
            member.TopicNames = [.. subscription.Topics.Distinct(StringComparer.Ordinal)];
            (member.TopicRegex, member.Pattern, member.Assignor, member.Topics) = (null, null, null, []);
        }
        // The request's buffer is not ours to keep.
        member.Classic = new(call.SessionTimeoutMs, [.. call.Protocols.Select(offered => new JoinProtocol(offered.Name, offered.Metadata.ToArray()))]);
        member.RebalanceTimeoutMs = call.RebalanceTimeoutMs < 0 ? call.SessionTimeoutMs : call.RebalanceTimeoutMs;
        (member.RackId, member.ClientId, member.ClientHost) = (subscription.Rack, call.ClientId, call.ClientHost);
        MarkDirty(member.Id);
        if (changed || seen != snapshot) changed |= Look(snapshot);
        if (changed) Retarget();
        Reconcile(member, [.. Identified(subscription.Owned, snapshot)]);
        KeepAlive(member);
        group.Arm(member.Classic.Deadline = Now + member.RebalanceTimeoutMs); // to ask for its assignment
    }

    void AnswerDurably<T>(TaskCompletionSource<T> answer, T result, T failed)
    {
        if (!IsDirty && group.IsIdle) answer.TrySetResult(result);
        else Save(durable => answer.TrySetResult(durable ? result : failed));
    }

    static JoinGroupResult Refusal(GroupError error, string memberId) => new() { Error = error, MemberId = memberId };
}
