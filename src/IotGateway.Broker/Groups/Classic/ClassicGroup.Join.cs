namespace IotGateway.Broker.Groups.Classic;

/// <summary>Joining: who may, under which id, and what it sets off.</summary>
internal sealed partial class ClassicGroup
{
    /// <summary>A member that joins and then is silent holds a rebalance up at most so long, whatever its own timeouts (Kafka's constant).</summary>
    const int NewMemberJoinTimeoutMs = 5 * 60_000;

    public void Join(JoinGroupCall call, TaskCompletionSource<JoinGroupResult> answer)
    {
        if (!HasRoom(call.MemberId))
        {
            if (members.TryGetValue(call.MemberId, out var surplus)) Remove(surplus);
            answer.TrySetResult(Refusal(GroupError.GroupMaxSizeReached, ""));
        }
        else if (!Fits(call.ProtocolType, call.Protocols))
        {
            answer.TrySetResult(Refusal(GroupError.InconsistentGroupProtocol, call.MemberId));
        }
        else if (call.MemberId.Length == 0)
        {
            JoinWithoutId(call, answer);
        }
        else if (call.InstanceId is null && pendingMembers.Remove(call.MemberId))
        {
            JoinAnew(call.MemberId, call, answer);
        }
        else if (CheckMember(call.MemberId, call.InstanceId) is var error and not GroupError.None)
        {
            answer.TrySetResult(Refusal(error, call.MemberId));
        }
        else
        {
            JoinAgain(members[call.MemberId], call, answer);
        }
    }

    bool HasRoom(string memberId) => state switch
    {
        ClassicState.Empty => true,
        ClassicState.PreparingRebalance => (members.TryGetValue(memberId, out var member) && member.AwaitsJoin)
            || members.Values.Count(other => other.AwaitsJoin) < Options.MaxSize,
        _ => members.ContainsKey(memberId) || members.Count < Options.MaxSize,
    };

    void JoinWithoutId(JoinGroupCall call, TaskCompletionSource<JoinGroupResult> answer)
    {
        var id = $"{call.InstanceId ?? call.ClientId}-{Guid.NewGuid()}";
        if (call.InstanceId is not null && statics.TryGetValue(call.InstanceId, out var known))
        {
            ReplaceStatic(members[known], id, call, answer);
        }
        else if (call.InstanceId is null && call.ApiVersion >= 4) // KIP-394: joins again under the id, so that a lost answer leaves no ghost
        {
            pendingMembers[id] = Now + call.SessionTimeoutMs;
            group.Arm(pendingMembers[id]);
            answer.TrySetResult(Refusal(GroupError.MemberIdRequired, id));
        }
        else
        {
            JoinAnew(id, call, answer);
        }
    }

    void JoinAnew(string id, JoinGroupCall call, TaskCompletionSource<JoinGroupResult> answer)
    {
        var member = new ClassicMember(id, call.InstanceId) { IsNew = true, Deadline = Now + NewMemberJoinTimeoutMs };
        Update(member, call);
        member.AwaitJoin(answer);
        if (IsEmpty) protocolType = call.ProtocolType;
        Add(member);
        group.Arm(member.Deadline);
        newMemberAdded = true;
        RebalanceOrComplete();
    }

    void JoinAgain(ClassicMember member, JoinGroupCall call, TaskCompletionSource<JoinGroupResult> answer)
    {
        var unchanged = member.Offers(call.Protocols) && durableGeneration == generation;
        var rebalance = state switch
        {
            // It may not have got the first answer; the generation is the same.
            ClassicState.CompletingRebalance => !unchanged,
            // A leader that joins again has seen something change.
            ClassicState.Stable => member.Id == leader || !unchanged,
            _ => true,
        };
        Update(member, call);
        if (rebalance)
        {
            member.AwaitJoin(answer);
            RebalanceOrComplete();
        }
        else
        {
            KeepAlive(member);
            answer.TrySetResult(Joined(member, withMembers: state == ClassicState.CompletingRebalance));
        }
    }

    /// <summary>A static member is back without its id: it takes the place of its former self, whose requests are fenced.</summary>
    void ReplaceStatic(ClassicMember old, string id, JoinGroupCall call, TaskCompletionSource<JoinGroupResult> answer)
    {
        var formerLeader = leader;
        old.AnswerJoin(Refusal(GroupError.FencedInstanceId, old.Id));
        old.AnswerSync(new() { Error = GroupError.FencedInstanceId });
        var member = new ClassicMember(id, call.InstanceId) { Assignment = old.Assignment };
        Update(member, call);
        var index = members.IndexOf(old.Id);
        members.RemoveAt(index);
        members.Insert(index, id, member);
        statics[call.InstanceId!] = id;
        if (leader == old.Id) leader = id;
        if (pendingSyncs.Remove(old.Id)) pendingSyncs.Add(id);
        KeepAlive(member);

        if (state == ClassicState.Stable && ElectProtocol() == protocol)
        {
            Subscribe();
            var leads = leader == id;
            // From version 9 the member is told that it leads and need not assign; an older one must not learn it, or it would.
            var result = call.ApiVersion >= 9
                ? Joined(member, withMembers: true) with { SkipAssignment = leads }
                : Joined(member, withMembers: false) with { Leader = formerLeader ?? "" };
            Save(durable => answer.TrySetResult(durable ? result : Refusal(GroupError.CoordinatorNotAvailable, id)));
            return;
        }
        member.AwaitJoin(answer);
        RebalanceOrComplete();
    }

    static void Update(ClassicMember member, JoinGroupCall call)
    {
        member.ClientId = call.ClientId;
        member.ClientHost = call.ClientHost;
        member.SessionTimeoutMs = call.SessionTimeoutMs;
        member.RebalanceTimeoutMs = call.RebalanceTimeoutMs < 0 ? call.SessionTimeoutMs : call.RebalanceTimeoutMs;
        // The request's buffer is not ours to keep.
        member.Protocols = [.. call.Protocols.Select(offered => new JoinProtocol(offered.Name, offered.Metadata.ToArray()))];
    }

    JoinGroupResult Joined(ClassicMember member, bool withMembers) => new()
    {
        Error = GroupError.None,
        Generation = generation,
        ProtocolType = protocolType,
        Protocol = protocol,
        Leader = leader ?? "",
        MemberId = member.Id,
        Members = withMembers && member.Id == leader
            ? [.. members.Values.Select(other => new JoinedMember(other.Id, other.InstanceId, other.MetadataFor(protocol)))]
            : [],
    };
}
