using IotGateway.Broker.Groups.Offsets;
using IotGateway.Broker.Protocol;
using IotGateway.Log;

namespace IotGateway.Broker.Transactions;

/// <summary>What gets into a transaction: partitions, records, groups, offsets.</summary>
internal sealed partial class TransactionCoordinator
{
    /// <summary>
    /// Hands a producer's batches to the log, before it returns. With <paramref name="implicitly"/> (Produce from version 12 on) the partition is
    /// added to the transaction, which is opened if need be, in the very frame of the records.
    /// </summary>
    public Task<IReadOnlyList<AppendResult>>? Append(ProducerClaim claim, bool implicitly, Partition partition, ReadOnlyMemory<byte> records, string? origin, out KafkaError error)
    {
        if (!TryFind(claim, out var transaction, out error)) return null;
        lock (transaction.Gate)
        {
            error = Check(transaction, claim);
            if (error == KafkaError.ProducerFenced) error = KafkaError.InvalidProducerEpoch; // the code for Produce
            if (error != KafkaError.None) return null;
            var place = TransactionPartition.Of(partition);
            if (transaction.State != TransactionState.Ongoing || !transaction.Partitions.Contains(place))
            {
                if (!implicitly)
                {
                    error = KafkaError.InvalidTxnState;
                    return null;
                }
                Add(transaction, [place]);
            }
            var unit = new LogUnit();
            unit.AppendReceived(partition, records, origin, implicitly && transaction.OwnEpoch);
            return transaction.Saved == transaction.Version ? Commit(unit) : Save(transaction, unit);
        }
    }

    /// <summary>Adds partitions, for clients that say so before they write.</summary>
    public async Task<KafkaError> AddPartitionsAsync(ProducerClaim claim, IReadOnlyCollection<Partition> partitions)
        => await ChangeAsync(claim, transaction => Add(transaction, partitions.Select(TransactionPartition.Of)));

    /// <summary>Adds a group whose offsets will be committed.</summary>
    public async Task<KafkaError> AddGroupAsync(ProducerClaim claim, string group) => await ChangeAsync(claim, transaction =>
    {
        transaction.Begin(Now);
        if (transaction.Groups.Add(group)) transaction.Changed(Now);
        return KafkaError.None;
    });

    /// <summary>Whether offsets of the group may come into the transaction; nothing is changed. <paramref name="implicitly"/> as for <see cref="AddOffsetsAsync"/>.</summary>
    public KafkaError CheckGroup(ProducerClaim claim, string group, bool implicitly)
    {
        if (!TryFind(claim, out var transaction, out var error)) return error;
        lock (transaction.Gate)
        {
            error = Check(transaction, claim);
            return error == KafkaError.None && !implicitly && !Has(transaction, group) ? KafkaError.InvalidTxnState : error;
        }
    }

    /// <summary>Keeps offsets for the end. With <paramref name="implicitly"/> (TxnOffsetCommit from version 5 on) the group need not have been added.</summary>
    public async Task<KafkaError> AddOffsetsAsync(ProducerClaim claim, string group, bool implicitly, IReadOnlyList<(string Topic, int Partition, CommittedOffset Offset)> offsets)
    {
        var error = await ChangeAsync(claim, transaction =>
        {
            if (!implicitly && !Has(transaction, group)) return KafkaError.InvalidTxnState;
            transaction.Begin(Now);
            transaction.Groups.Add(group);
            foreach (var (topic, partition, offset) in offsets)
            {
                var before = transaction.Offsets.GetValueOrDefault((group, topic, partition));
                var held = transaction.Offsets[(group, topic, partition)] = new(group, topic, partition, offset);
                held.Join(_groups.Pending);
                before?.Leave(_groups.Pending);
            }
            transaction.Changed(Now);
            return KafkaError.None;
        });
        if (error == KafkaError.None && offsets.Count > 0) _groups.Hold(group);
        return error;
    }

    async Task<KafkaError> ChangeAsync(ProducerClaim claim, Func<Transaction, KafkaError> change)
    {
        if (!TryFind(claim, out var transaction, out var error)) return error;
        Task written;
        lock (transaction.Gate)
        {
            error = Check(transaction, claim);
            if (error == KafkaError.None) error = change(transaction);
            if (error != KafkaError.None) return error;
            if (transaction.Saved != transaction.Version) transaction.Last = Save(transaction, new() { Reserved = true });
            written = transaction.Last;
        }
        await written;
        return KafkaError.None;
    }

    KafkaError Add(Transaction transaction, IEnumerable<TransactionPartition> partitions)
    {
        transaction.Begin(Now);
        foreach (var partition in partitions)
            if (transaction.Partitions.Add(partition)) transaction.Changed(Now);
        return KafkaError.None;
    }

    bool TryFind(ProducerClaim claim, [System.Diagnostics.CodeAnalysis.MaybeNullWhen(false)] out Transaction transaction, out KafkaError error)
    {
        var found = _transactions.TryGetValue(claim.TransactionalId, out transaction);
        error = found ? KafkaError.None : claim.TransactionalId.Length == 0 ? KafkaError.InvalidRequest : KafkaError.InvalidProducerIdMapping;
        return found;
    }

    static bool Has(Transaction transaction, string group) => transaction.State == TransactionState.Ongoing && transaction.Groups.Contains(group);

    static KafkaError Check(Transaction transaction, ProducerClaim claim)
        => transaction.Removed || transaction.ProducerId != claim.ProducerId || claim.ProducerId < 0 ? KafkaError.InvalidProducerIdMapping
            : transaction.Epoch != claim.Epoch ? KafkaError.ProducerFenced
            : KafkaError.None;
}
