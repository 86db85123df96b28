namespace IotGateway.Broker.Groups.Classic;

/// <summary>Rebalances and deadlines.</summary>
internal sealed partial class ClassicGroup
{
    long joinDeadline = long.MaxValue;
    long syncDeadline = long.MaxValue;
    /// <summary>The first rebalance waits for others to come, in steps of the initial delay while new ones keep coming.</summary>
    bool initial;
    bool newMemberAdded;
    long initialEnd;
    int durableGeneration;

    int RebalanceTimeoutMs => IsEmpty ? 0 : members.Values.Max(member => member.RebalanceTimeoutMs);
    bool AllJoined => pendingMembers.Count == 0 && members.Values.All(member => member.AwaitsJoin);

    void RebalanceOrComplete()
    {
        if (state != ClassicState.PreparingRebalance) Prepare();
        else CompleteIfAllJoined();
    }

    void Prepare()
    {
        if (state == ClassicState.CompletingRebalance) DropAssignments(GroupError.RebalanceInProgress);
        pendingSyncs.Clear();
        syncDeadline = long.MaxValue;
        var first = state == ClassicState.Empty;
        Become(ClassicState.PreparingRebalance);
        var delay = (long)Options.InitialRebalanceDelay.TotalMilliseconds;
        if (first && delay > 0)
        {
            initial = true;
            newMemberAdded = false;
            initialEnd = Now + Math.Max(delay, RebalanceTimeoutMs);
            WaitForJoins(delay);
        }
        else if (first || AllJoined)
        {
            CompleteJoin();
        }
        else
        {
            WaitForJoins(RebalanceTimeoutMs);
        }
    }

    void WaitForJoins(long milliseconds) => group.Arm(joinDeadline = Now + milliseconds);

    void CompleteJoin()
    {
        joinDeadline = long.MaxValue;
        initial = false;
        foreach (var absent in members.Values.Where(member => !member.AwaitsJoin && !member.IsStatic).ToArray()) Remove(absent);
        if (!IsEmpty && !ElectLeader())
        {
            WaitForJoins(RebalanceTimeoutMs); // only static members are left, all away: they keep their places until their sessions end
            return;
        }
        NextGeneration();
        var made = generation;
        if (state == ClassicState.Empty)
        {
            Save(durable => SavedGeneration(durable, made));
            return;
        }
        group.Arm(syncDeadline = Now + RebalanceTimeoutMs);
        List<(TaskCompletionSource<JoinGroupResult> Answer, JoinGroupResult Result)> answers = [];
        foreach (var member in members.Values)
        {
            var answer = member.TakeJoin();
            if (answer is not null) answers.Add((answer, Joined(member, withMembers: true)));
            member.IsNew = false;
            pendingSyncs.Add(member.Id);
            KeepAlive(member);
        }
        Save(durable =>
        {
            SavedGeneration(durable, made);
            foreach (var (answer, result) in answers)
                answer.TrySetResult(durable ? result : Refusal(GroupError.CoordinatorNotAvailable, result.MemberId));
        });
    }

    void SavedGeneration(bool durable, int made)
    {
        if (durable) durableGeneration = Math.Max(durableGeneration, made);
    }

    bool ElectLeader()
    {
        if (leader is not null && members.TryGetValue(leader, out var current) && current.AwaitsJoin) return true;
        var next = members.Values.FirstOrDefault(member => member.AwaitsJoin);
        if (next is null) return false;
        leader = next.Id;
        return true;
    }

    void DropAssignments(GroupError error)
    {
        foreach (var member in members.Values)
        {
            member.Assignment = default;
            if (member.AwaitsSync) KeepAlive(member);
            member.AnswerSync(new() { Error = error });
        }
    }

    void KeepAlive(ClassicMember member)
    {
        if (member.IsNew) return; // its one deadline stands until the rebalance is over
        member.Deadline = Now + member.SessionTimeoutMs;
        group.Arm(member.Deadline);
    }

    public override void Tick(long now)
    {
        var gone = pendingMembers.Where(pending => pending.Value <= now).Select(pending => pending.Key).ToArray();
        foreach (var id in gone) pendingMembers.Remove(id);
        if (gone.Length > 0) CompleteIfAllJoined();

        foreach (var member in members.Values.Where(member => member.Deadline <= now).ToArray())
        {
            if (!members.TryGetValue(member.Id, out var current) || current != member) continue;
            if (!member.IsNew && (member.AwaitsJoin || member.AwaitsSync)) KeepAlive(member);
            else Lose(member);
        }

        if (joinDeadline <= now) JoinDeadlinePassed(now);
        if (syncDeadline <= now) SyncDeadlinePassed();
        ArmAll();
    }

    void JoinDeadlinePassed(long now)
    {
        if (initial && newMemberAdded && now < initialEnd)
        {
            newMemberAdded = false;
            WaitForJoins(Math.Min((long)Options.InitialRebalanceDelay.TotalMilliseconds, initialEnd - now));
            return;
        }
        CompleteJoin();
    }

    /// <summary>Who joined but never asked for its assignment is gone.</summary>
    void SyncDeadlinePassed()
    {
        syncDeadline = long.MaxValue;
        var silent = pendingSyncs.Where(members.ContainsKey).Select(id => members[id]).ToArray();
        pendingSyncs.Clear();
        if (silent.Length == 0) return;
        foreach (var member in silent) Remove(member);
        Prepare();
    }

    void Lose(ClassicMember member)
    {
        Remove(member);
        AfterLoss();
    }

    /// <summary>After a member left: those that stay must share its partitions, or the rebalance no longer waits for it.</summary>
    void AfterLoss()
    {
        if (state is ClassicState.Stable or ClassicState.CompletingRebalance) Prepare();
        else CompleteIfAllJoined();
    }

    void CompleteIfAllJoined()
    {
        if (state == ClassicState.PreparingRebalance && !initial && AllJoined) CompleteJoin();
    }

    void ArmAll()
    {
        foreach (var at in pendingMembers.Values) group.Arm(at);
        foreach (var member in members.Values) group.Arm(member.Deadline);
        group.Arm(joinDeadline);
        group.Arm(syncDeadline);
    }
}
