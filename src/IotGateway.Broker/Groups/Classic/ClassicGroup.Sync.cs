using IotGateway.Broker.Groups.Storage;

namespace IotGateway.Broker.Groups.Classic;

/// <summary>Syncing, heartbeats and leaving; and what is kept.</summary>
internal sealed partial class ClassicGroup
{
    public void Sync(SyncGroupCall call, TaskCompletionSource<SyncGroupResult> answer)
    {
        var error = CheckSync(call);
        if (error != GroupError.None)
        {
            answer.TrySetResult(new() { Error = error });
            return;
        }
        var member = members[call.MemberId];
        pendingSyncs.Remove(member.Id);
        if (pendingSyncs.Count == 0) syncDeadline = long.MaxValue;
        KeepAlive(member);
        if (state == ClassicState.Stable)
        {
            answer.TrySetResult(Synced(member));
            return;
        }
        member.AwaitSync(answer);
        if (member.Id == leader) Assign(call.Assignments);
    }

    GroupError CheckSync(SyncGroupCall call)
    {
        var error = CheckMember(call.MemberId, call.InstanceId);
        if (error != GroupError.None) return error;
        if (call.Generation != generation) return GroupError.IllegalGeneration;
        if ((call.ProtocolType is { } type && type != protocolType) || (call.Protocol is { } name && name != protocol))
            return GroupError.InconsistentGroupProtocol;
        return state == ClassicState.PreparingRebalance ? GroupError.RebalanceInProgress : GroupError.None;
    }

    /// <summary>The members get their assignments once they are durable, if by then the generation still stands.</summary>
    void Assign(IReadOnlyList<MemberAssignment> assignments)
    {
        foreach (var member in members.Values) member.Assignment = default;
        foreach (var assigned in assignments)
            if (members.TryGetValue(assigned.MemberId, out var member)) member.Assignment = assigned.Assignment.ToArray();
        var made = generation;
        Save(durable =>
        {
            if (state != ClassicState.CompletingRebalance || generation != made) return; // a new rebalance answered them
            if (!durable)
            {
                DropAssignments(GroupError.CoordinatorNotAvailable);
                Prepare();
                return;
            }
            durableGeneration = made;
            Become(ClassicState.Stable);
            foreach (var member in members.Values.Where(member => member.AwaitsSync))
            {
                KeepAlive(member);
                member.AnswerSync(Synced(member));
            }
        }, ClassicState.Stable);
    }

    SyncGroupResult Synced(ClassicMember member)
        => new() { Error = GroupError.None, ProtocolType = protocolType, Protocol = protocol, Assignment = member.Assignment };

    public GroupError Heartbeat(HeartbeatCall call)
    {
        var error = CheckMember(call.MemberId, call.InstanceId);
        if (error != GroupError.None) return error;
        if (call.Generation != generation) return GroupError.IllegalGeneration;
        KeepAlive(members[call.MemberId]);
        return state == ClassicState.PreparingRebalance ? GroupError.RebalanceInProgress : GroupError.None;
    }

    public LeaveGroupResult Leave(LeaveGroupCall call)
    {
        List<LeftMember> left = [];
        var lost = false;
        foreach (var leaving in call.Members)
        {
            var error = GroupError.None;
            if (!pendingMembers.Remove(leaving.MemberId))
            {
                var id = leaving.MemberId;
                if (id.Length == 0) id = leaving.InstanceId is { } instance ? statics.GetValueOrDefault(instance, "") : "";
                error = CheckMember(id, leaving.InstanceId);
                if (error == GroupError.None)
                {
                    Remove(members[id]);
                    lost = true;
                }
            }
            left.Add(new(leaving.MemberId, leaving.InstanceId, error));
        }
        if (lost) AfterLoss();
        else CompleteIfAllJoined();
        return new(GroupError.None, left);
    }

    /// <summary>Takes up what was kept. Members must show themselves within a session; nobody waits for an answer any more.</summary>
    public void Load(ClassicRecord record)
    {
        (state, stateSince, generation, durableGeneration) = (record.State, record.StateSince, record.Generation, record.Generation);
        (protocolType, protocol, leader) = (record.ProtocolType, record.Protocol, record.Leader);
        foreach (var member in record.Members)
        {
            Add(member);
            KeepAlive(member);
        }
        if (IsEmpty) state = ClassicState.Empty;
        else Subscribe();
        if (state == ClassicState.PreparingRebalance) WaitForJoins(RebalanceTimeoutMs);
        if (state != ClassicState.CompletingRebalance) return;
        foreach (var member in members.Values) pendingSyncs.Add(member.Id);
        group.Arm(syncDeadline = Now + RebalanceTimeoutMs);
    }

    void Save(Action<bool> done, ClassicState? keptAs = null) => group.Write(
        [new(GroupTables.Classic, GroupTables.Key(group.Id), ClassicRecord.Write(Snapshot(keptAs ?? state)))], done);

    ClassicRecord Snapshot(ClassicState kept) => new()
    {
        State = kept,
        StateSince = stateSince,
        Generation = generation,
        ProtocolType = protocolType,
        Protocol = protocol,
        Leader = leader,
        Members = [.. members.Values],
    };
}
