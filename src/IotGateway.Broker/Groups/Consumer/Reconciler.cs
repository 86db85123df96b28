namespace IotGateway.Broker.Groups.Consumer;

/// <summary>
/// One member's next step towards its target (KIP-848, "Reconciliation"): first it gives up what it is not to keep, in its old
/// epoch; then it moves to the target's epoch and gets what nobody else has; the rest as others release it. So no partition is ever
/// with two members.
/// </summary>
internal static class Reconciler
{
    /// <summary>What the member has after the step.</summary>
    public sealed record Step(int Epoch, ReconcileState State, Dictionary<TopicPartition, int> Assigned, HashSet<TopicPartition> PendingRevocation);

    /// <param name="member">Who takes the step.</param>
    /// <param name="targetEpoch">Epoch of its target.</param>
    /// <param name="owned">What the member says it has; null when it says nothing new.</param>
    /// <param name="isFree">Whether nobody has the partition.</param>
    /// <returns>Null: nothing to do.</returns>
    public static Step? Next(ConsumerMember member, int targetEpoch, HashSet<TopicPartition>? owned, Func<TopicPartition, bool> isFree)
    {
        switch (member.State)
        {
            case ReconcileState.Stable when member.Epoch == targetEpoch:
            case ReconcileState.Revoking when owned is null || owned.Overlaps(member.PendingRevocation):
                return null;
        }
        var kept = member.Assigned.Where(item => member.Target.Contains(item.Key)).ToDictionary();
        var surplus = member.Assigned.Keys.Where(item => !member.Target.Contains(item)).ToHashSet();
        if (surplus.Count > 0 && (owned is null || owned.Overlaps(surplus)))
            return new(member.Epoch, ReconcileState.Revoking, kept, surplus);

        var waits = false;
        foreach (var wanted in member.Target)
        {
            if (kept.ContainsKey(wanted)) continue;
            if (isFree(wanted)) kept.Add(wanted, targetEpoch);
            else waits = true;
        }
        return new(targetEpoch, waits ? ReconcileState.Waiting : ReconcileState.Stable, kept, []);
    }
}
