using IotGateway.Broker.Groups.Storage;
using IotGateway.Broker.Protocol;
using IotGateway.Log;

namespace IotGateway.Broker.Transactions;

/// <summary>How transactions end: as their producer says, by their timeout, or by the next producer.</summary>
internal sealed partial class TransactionCoordinator
{
    /// <summary>
    /// Ends the open transaction. With <paramref name="bump"/> (EndTxn from version 5 on) the producer goes on with the epoch it is answered; the
    /// same request again gets the same answer. Without, it keeps its epoch.
    /// </summary>
    public async Task<TransactionResult> EndAsync(ProducerClaim claim, bool commit, bool bump, CancellationToken ct)
    {
        long spare = -1;
        while (true)
        {
            if (!TryFind(claim, out var transaction, out var error)) return new(error);
            Task written;
            TransactionResult? result;
            lock (transaction.Gate)
            {
                if (Repeated(transaction, claim, commit, bump) is { } known) (written, result) = (transaction.Last, known);
                else if (Refusal(transaction, claim, commit, bump) is { } refusal and not KafkaError.None) return new(refusal);
                else if (bump && transaction.Exhausted && spare < 0) (written, result) = (Task.CompletedTask, null); // needs a new id first
                else (written, result) = End(transaction, commit, bump, spare);
            }
            await written;
            if (result is { } answer) return answer;
            spare = await _ids.NextAsync(ct);
        }
    }

    /// <summary>The answer to a request that was carried out before; null when it was not.</summary>
    static TransactionResult? Repeated(Transaction transaction, ProducerClaim claim, bool commit, bool bump)
    {
        var same = bump
            ? transaction.Before is { ByEnd: true } before && (before.ProducerId, before.Epoch) == (claim.ProducerId, claim.Epoch)
            : Check(transaction, claim) == KafkaError.None && transaction.State is (TransactionState.CompleteCommit or TransactionState.CompleteAbort);
        if (!same) return null;
        return transaction.State == (commit ? TransactionState.CompleteCommit : TransactionState.CompleteAbort)
            ? new(KafkaError.None, transaction.ProducerId, transaction.Epoch)
            : new(KafkaError.InvalidTxnState);
    }

    static KafkaError Refusal(Transaction transaction, ProducerClaim claim, bool commit, bool bump)
    {
        var error = Check(transaction, claim);
        // A producer that bumps its epoch may abort before it has written anything: it does not know what has arrived.
        return error != KafkaError.None ? error : transaction.State == TransactionState.Ongoing || (bump && !commit) ? KafkaError.None : KafkaError.InvalidTxnState;
    }

    (Task, TransactionResult) End(Transaction transaction, bool commit, bool bump, long spare)
    {
        var now = Now;
        var unit = new LogUnit { Reserved = true };
        var held = transaction.Offsets.Values.ToList();
        var taken = commit ? held.Where(p => !p.IsOverruled && _log.Find(p.Offset.TopicId) is not null).ToList() : [];
        unit.EndTransaction(transaction.ProducerId, bump ? NextEpoch(transaction) : transaction.Epoch, commit, Resolve(transaction));
        foreach (var (group, topic, partition, offset) in taken)
        {
            var put = GroupTables.PutOffset(group, topic, partition, offset with { CommittedAt = now });
            unit.Put(put.Table, put.Key, put.Value);
        }
        var (producerId, epoch) = !bump ? (transaction.ProducerId, transaction.Epoch)
            : transaction.Exhausted ? (spare, (short)0) : (transaction.ProducerId, NextEpoch(transaction));
        transaction.Before = bump ? new(transaction.ProducerId, transaction.Epoch, ByEnd: true) : null;
        if (transaction.State != TransactionState.Ongoing) transaction.StartTime = now; // an abort of nothing
        transaction.OwnEpoch = bump;
        transaction.Close(commit ? TransactionState.CompleteCommit : TransactionState.CompleteAbort, producerId, epoch, now);
        transaction.Last = FinishAsync(Save(transaction, unit), taken, held, now);
        return (transaction.Last, new(KafkaError.None, producerId, epoch));
    }

    // The groups first: an offset is pending until they have it. Called under the gate, which it leaves, for it takes others'.
    async Task FinishAsync(Task commitment, List<PendingOffset> taken, List<PendingOffset> held, long now = -1)
    {
        await commitment.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        foreach (var group in taken.GroupBy(p => p.Group))
        {
            _groups.Committed(group.Key, [.. group.Select(p => (p.Topic, p.Partition, p.Offset with { CommittedAt = now }))]);
            await OverruleAsync(group.Key, group.ToDictionary(p => (p.Topic, p.Partition), p => p.Offset.CommittedAt));
        }
        foreach (var offset in held) offset.Leave(_groups.Pending);
    }

    /// <summary>Aborts what was open for too long; once an hour forgets ids not used for long.</summary>
    void Check()
    {
        try
        {
            var now = Now;
            var expiry = now - _lastExpiry >= _options.IdExpirationCheckInterval.TotalMilliseconds;
            if (expiry) _lastExpiry = now;
            foreach (var transaction in _transactions.Values)
            {
                lock (transaction.Gate)
                {
                    if (transaction.State == TransactionState.Ongoing)
                    {
                        if (now - transaction.StartTime <= transaction.TimeoutMs) continue;
                        if (!transaction.Exhausted) TimeOut(transaction, transaction.ProducerId, NextEpoch(transaction), now);
                        else if (TakeSpare() is { } id) TimeOut(transaction, id, 0, now); // else at the next look
                    }
                    else if (expiry && transaction.ProducerId >= 0 && now - transaction.LastUpdate > _options.IdExpiration.TotalMilliseconds) Forget(transaction);
                }
            }
        }
        // A timer's thread, where an exception would end the process.
        catch (Exception e)
        {
            Log.CheckFailed(_logger, e);
        }
    }

    // Looks may overlap: an id is taken once.
    long? TakeSpare()
    {
        var spare = Interlocked.Exchange(ref _spare, null) ?? _ids.NextAsync(CancellationToken.None).AsTask();
        if (spare.IsCompleted) return spare.GetAwaiter().GetResult();
        _spare = spare;
        return null;
    }

    // Under the gate.
    void TimeOut(Transaction transaction, long producerId, short epoch, long now)
    {
        var unit = new LogUnit { Reserved = true };
        var held = transaction.Offsets.Values.ToList();
        unit.EndTransaction(transaction.ProducerId, NextEpoch(transaction), commit: false, Resolve(transaction));
        // Its producer may go on under the new id and epoch (KIP-588): EndTxn from version 5 on, or InitProducerId, tell it of them.
        transaction.Before = new(transaction.ProducerId, transaction.Epoch, ByEnd: true);
        transaction.OwnEpoch = true;
        transaction.Close(TransactionState.CompleteAbort, producerId, epoch, now);
        transaction.Last = FinishAsync(Save(transaction, unit), [], held);
        Log.TimedOut(_logger, transaction.Id, transaction.TimeoutMs);
    }

    void Forget(Transaction transaction)
    {
        var unit = new LogUnit { Reserved = true };
        unit.Put(TransactionRecord.Table, TransactionRecord.Key(transaction.Id), (ReadOnlyMemory<byte>?)null);
        transaction.Last = Commit(unit); // before another can be made under the id, whose state must lie behind
        transaction.Removed = true;
        _transactions.TryRemove(new(transaction.Id, transaction));
    }
}
