using System.Collections.Concurrent;
using IotGateway.Broker.Groups;
using IotGateway.Broker.Groups.Offsets;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Server;
using IotGateway.Log;
using Microsoft.Extensions.Logging;

namespace IotGateway.Broker.Transactions;

/// <summary>
/// All transactional ids of the broker: who may write, what belongs to the open transaction, and its end, which is one frame of the log with the
/// decision, all markers, the groups' offsets and the next epoch. Thread-safe; refusals are error codes, nothing is answered before it is durable.
/// A failure of the log comes out of the tasks as it is.
/// </summary>
internal sealed partial class TransactionCoordinator : IAsyncDisposable
{
    readonly TransactionOptions _options;
    readonly LogStore _log;
    readonly GroupCoordinator _groups;
    readonly ProducerIds _ids;
    readonly ILogger _logger;
    readonly ITimer _timer;
    readonly ConcurrentDictionary<string, Transaction> _transactions = new(StringComparer.Ordinal);
    long _lastExpiry;
    Task<long>? _spare; // a producer id on its way for one that timed out with its last epoch

    /// <summary>Loads all from the log's table; nothing is served before <see cref="StartAsync"/> is done.</summary>
    /// <exception cref="InvalidDataException">A later gateway wrote them.</exception>
    public TransactionCoordinator(TransactionOptions options, LogStore log, GroupCoordinator groups, ProducerIds ids, TimeProvider time, ILogger logger)
    {
        (_options, _log, _groups, _ids, _logger) = (options, log, groups, ids, logger);
        foreach (var (key, value) in log.Scan(TransactionRecord.Table))
        {
            var transaction = TransactionRecord.Read(key, value);
            // What lies ahead has begun now: a timeout is never longer than it says.
            (transaction.StartTime, transaction.LastUpdate) = (Math.Min(transaction.StartTime, Now), Math.Min(transaction.LastUpdate, Now));
            _transactions[transaction.Id] = transaction;
            foreach (var pending in transaction.Offsets.Values)
            {
                pending.Join(groups.Pending);
                groups.Hold(pending.Group);
            }
        }
        _lastExpiry = Now;
        _timer = time.CreateTimer(_ => Check(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>All ids, a snapshot.</summary>
    public IEnumerable<Transaction> All => _transactions.Values;

    long Now => _log.Clock.Now;

    public Transaction? Find(string id) => _transactions.GetValueOrDefault(id);

    /// <summary>
    /// Aborts what is open in the log and nobody's (a frame the disk has lost), or nothing would ever be stable again; then looks for timeouts.
    /// </summary>
    public async Task StartAsync(CancellationToken ct)
    {
        var owners = _transactions.Values.ToDictionary(t => t.ProducerId);
        var unit = new LogUnit { Reserved = true };
        foreach (var (partition, open) in await _log.OpenTransactionsAsync(ct))
        {
            if (owners.TryGetValue(open.ProducerId, out var owner) && owner.State == TransactionState.Ongoing) owner.Partitions.Add(TransactionPartition.Of(partition));
            else
            {
                Log.Orphan(_logger, open.ProducerId, partition.Topic.Name, partition.Index, open.FirstOffset);
                unit.EndTransaction(open.ProducerId, open.ProducerEpoch, commit: false, [partition]);
            }
        }
        await _log.CommitAsync(unit, ct);
        _timer.Change(_options.TimeoutCheckInterval, _options.TimeoutCheckInterval);
    }

    /// <summary>
    /// Gives the id's next producer its id and epoch, which fences the one before and aborts what that one left open. A producer that gives the id
    /// and epoch it has (KIP-360) is refused when it was fenced itself.
    /// </summary>
    public async Task<TransactionResult> InitAsync(ProducerClaim claim, int timeoutMs, CancellationToken ct)
    {
        if (claim.TransactionalId.Length == 0) return new(KafkaError.InvalidRequest);
        if (timeoutMs <= 0 || timeoutMs > _options.MaxTimeout.TotalMilliseconds) return new(KafkaError.InvalidTransactionTimeout);
        long spare = -1;
        while (true)
        {
            Task written;
            TransactionResult? result;
            var transaction = _transactions.GetOrAdd(claim.TransactionalId, static id => new(id));
            lock (transaction.Gate)
            {
                if (transaction.Removed) continue;
                if (transaction.ProducerId >= 0 && claim.ProducerId >= 0 && Verify(transaction, claim) is { } known) (written, result) = GoOn(transaction, timeoutMs, known);
                else if (spare < 0 && NeedsId(transaction, claim)) (written, result) = (Task.CompletedTask, null);
                else (written, result) = Init(transaction, claim, timeoutMs, spare);
            }
            await written;
            if (result is { } answer) return answer;
            spare = await _ids.NextAsync(ct);
        }
    }

    public async ValueTask DisposeAsync() => await _timer.DisposeAsync();

    /// <summary>Null when the claim is good; otherwise its answer, which for a repeated request is what it got before.</summary>
    static TransactionResult? Verify(Transaction transaction, ProducerClaim claim)
    {
        if (claim.ProducerId == transaction.ProducerId && claim.Epoch == transaction.Epoch) return null;
        return transaction.Before is { } before && (before.ProducerId, before.Epoch) == (claim.ProducerId, claim.Epoch)
            ? new(KafkaError.None, transaction.ProducerId, transaction.Epoch)
            : new(KafkaError.ProducerFenced);
    }

    /// <summary>Whose request was answered before, or whose transaction timed out, goes on with the epoch there is.</summary>
    (Task, TransactionResult) GoOn(Transaction transaction, int timeoutMs, TransactionResult known)
    {
        if (known.Error == KafkaError.None && (transaction.State, transaction.TimeoutMs) != (TransactionState.Empty, timeoutMs))
        {
            transaction.TimeoutMs = timeoutMs;
            Empty(transaction, transaction.ProducerId, transaction.Epoch);
            transaction.Last = Save(transaction, new() { Reserved = true });
        }
        return (transaction.Last, known);
    }

    (Task, TransactionResult) Init(Transaction transaction, ProducerClaim claim, int timeoutMs, long spare)
    {
        var fresh = NeedsId(transaction, claim);
        var (producerId, epoch) = fresh ? (spare, FirstEpoch(transaction, claim)) : (transaction.ProducerId, (short)(transaction.Epoch + Steps(transaction, claim)));
        var unit = new LogUnit { Reserved = true };
        var held = transaction.Offsets.Values.ToList();
        // The markers carry the next epoch, so that nothing of the former producer gets in behind them.
        if (transaction.State == TransactionState.Ongoing) unit.EndTransaction(transaction.ProducerId, NextEpoch(transaction), commit: false, Resolve(transaction));
        transaction.Before = claim.ProducerId >= 0 ? new(claim.ProducerId, claim.Epoch, ByEnd: false) : null;
        (transaction.TimeoutMs, transaction.OwnEpoch) = (timeoutMs, true);
        Empty(transaction, producerId, epoch);
        transaction.Last = FinishAsync(Save(transaction, unit), [], held);
        return (transaction.Last, new(KafkaError.None, producerId, epoch));
    }

    void Empty(Transaction transaction, long producerId, short epoch)
    {
        transaction.Close(TransactionState.Empty, producerId, epoch, Now);
        transaction.StartTime = -1;
    }

    static bool NeedsId(Transaction transaction, ProducerClaim claim) => transaction.ProducerId < 0 || transaction.ExhaustedBy(Steps(transaction, claim));

    /// <summary>The first of a new id; the second when what another one left open has to be aborted and the old id has no epoch for that.</summary>
    static short FirstEpoch(Transaction transaction, ProducerClaim claim) => (short)(Steps(transaction, claim) > 1 && transaction.Exhausted ? 1 : 0);

    /// <summary>Epochs to the next producer: what another one left open is aborted under the epoch in between, which is nobody's.</summary>
    static int Steps(Transaction transaction, ProducerClaim claim) => transaction.State == TransactionState.Ongoing && claim.ProducerId < 0 ? 2 : 1;

    static short NextEpoch(Transaction transaction) => (short)Math.Min(transaction.Epoch + 1, short.MaxValue);

    List<Partition> Resolve(Transaction transaction)
        => [.. transaction.Partitions.Select(p => _log.Find(p.TopicId) is { } topic && p.Index < topic.Partitions.Count ? topic.Partitions[p.Index] : null).OfType<Partition>()];

    /// <summary>Adds the present state to the unit and hands it to the log. Under the gate.</summary>
    Task<IReadOnlyList<AppendResult>> Save(Transaction transaction, LogUnit unit)
    {
        unit.Put(TransactionRecord.Table, TransactionRecord.Key(transaction.Id), TransactionRecord.Write(transaction));
        return SavedAsync(transaction, transaction.Version, Commit(unit));
    }

    static async Task<IReadOnlyList<AppendResult>> SavedAsync(Transaction transaction, int version, Task<IReadOnlyList<AppendResult>> commit)
    {
        var results = await commit;
        // A refused append takes the state with it: the next unit brings it again.
        if (results.Count > 0 && results[0].Error is not (AppendError.None or AppendError.DuplicateSequence)) return results;
        lock (transaction.Gate) transaction.Saved = Math.Max(transaction.Saved, version);
        return results;
    }

    Task<IReadOnlyList<AppendResult>> Commit(LogUnit unit)
    {
        try
        {
            return _log.CommitAsync(unit, CancellationToken.None).AsTask();
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException or ArgumentException)
        {
            return Task.FromException<IReadOnlyList<AppendResult>>(failure);
        }
    }

    static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Producer {Producer} has a transaction open in {Topic}-{Partition} since offset {Offset} that no transactional id knows of (data was lost there); it is aborted.")]
        public static partial void Orphan(ILogger logger, long producer, string topic, int partition, long offset);

        [LoggerMessage(LogLevel.Information, "The transaction of '{Id}' was open for longer than its timeout of {Timeout} ms and was aborted.")]
        public static partial void TimedOut(ILogger logger, string id, int timeout);

        [LoggerMessage(LogLevel.Warning, "The check of transactions for timeouts failed; it is tried again.")]
        public static partial void CheckFailed(ILogger logger, Exception cause);
    }
}
