namespace IotGateway.Broker.Transactions;

/// <summary>Offsets that an open transaction holds for a group, and that the group has meanwhile deleted or committed by itself: what comes last counts.</summary>
internal sealed partial class TransactionCoordinator
{
    /// <summary>The group or these of its offsets were deleted: what was held for them is dropped.</summary>
    public Task DropOffsetsAsync(string group, IEnumerable<(string Topic, int Partition)> offsets) => ChangeHeldAsync(group, offsets, 1, (transaction, held) =>
    {
        transaction.Offsets.Remove((group, held.Topic, held.Partition));
        held.Leave(_groups.Pending);
        return true;
    });

    /// <summary>The group has committed these: what was held for them is not, but they are unsettled until its transaction ends.</summary>
    public Task OverruleAsync(string group, IEnumerable<(string Topic, int Partition)> offsets)
        => ChangeHeldAsync(group, offsets, 1, static (transaction, held) => Overrule(transaction, held));

    /// <summary>A transaction has committed these, which it held since then: what another one holds for longer comes too late.</summary>
    Task OverruleAsync(string group, Dictionary<(string Topic, int Partition), long> offsets)
        => ChangeHeldAsync(group, offsets.Keys, 2, (transaction, held) => held.Offset.CommittedAt < offsets[(held.Topic, held.Partition)] && Overrule(transaction, held));

    static bool Overrule(Transaction transaction, PendingOffset held)
    {
        transaction.Offsets[(held.Group, held.Topic, held.Partition)] = held.Overruled();
        return true;
    }

    // Only for offsets that at least so many transactions hold it is worth looking at all of them.
    async Task ChangeHeldAsync(string group, IEnumerable<(string Topic, int Partition)> offsets, int holders, Func<Transaction, PendingOffset, bool> change)
    {
        var asked = offsets.Where(o => _groups.Pending.Holders(group, o.Topic, o.Partition) >= holders).ToList();
        if (asked.Count == 0) return;
        var written = new List<Task>();
        foreach (var transaction in _transactions.Values)
        {
            lock (transaction.Gate)
            {
                var changed = false;
                foreach (var (topic, partition) in asked)
                    if (transaction.Offsets.TryGetValue((group, topic, partition), out var held)) changed |= change(transaction, held);
                if (!changed) continue;
                transaction.Changed(Now);
                written.Add(transaction.Last = Save(transaction, new() { Reserved = true }));
            }
        }
        await Task.WhenAll(written);
    }
}
