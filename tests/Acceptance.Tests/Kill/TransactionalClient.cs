using Confluent.Kafka;

namespace Acceptance.Tests.Kill;

/// <summary>
/// A transactional producer that gets every transaction to an end it knows, or to one it does not know after a fatal error, whatever happens to the
/// gateway meanwhile. One thread uses it.
/// </summary>
sealed class TransactionalClient(string bootstrap, string id) : IDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    IProducer<string, string>? _producer;

    /// <summary>What became of a transaction.</summary>
    public enum End { Committed, Aborted, Unknown }

    /// <summary>Does the work in a transaction and ends it.</summary>
    /// <param name="work">Produces; may send offsets. What it throws of Kafka's errors ends the transaction.</param>
    /// <param name="commit">Whether it shall be committed.</param>
    /// <param name="ct">Gives up between attempts, with an end that is unknown.</param>
    public End Run(Action<IProducer<string, string>> work, bool commit, CancellationToken ct)
    {
        var asked = false;
        try
        {
            if (_producer is null && !Renew(ct)) return End.Unknown;
            _producer!.BeginTransaction();
            work(_producer);
            if (!commit) return Abort(ct);
            asked = true;
            return Retried(() => _producer.CommitTransaction(Patience), ct) ? End.Committed : End.Unknown;
        }
        catch (KafkaTxnRequiresAbortException)
        {
            return Abort(ct);
        }
        catch (KafkaException e) when (e.Error.IsFatal)
        {
            Dispose();
            // The next one of this id aborts what this one left open; what it had asked to commit may have been committed.
            return Renew(ct) && !asked ? End.Aborted : End.Unknown;
        }
        catch (KafkaException) when (!asked)
        {
            return Abort(ct); // of the work: sending offsets while the gateway is away, for instance
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _producer?.Dispose();
        _producer = null;
    }

    bool Renew(CancellationToken ct)
    {
        _producer = new ProducerBuilder<string, string>(new ProducerConfig
        {
            BootstrapServers = bootstrap, TransactionalId = id, TransactionTimeoutMs = 20_000, LingerMs = 1, MessageTimeoutMs = 20_000,
            ReconnectBackoffMs = 50, ReconnectBackoffMaxMs = 150, RetryBackoffMs = 20, RetryBackoffMaxMs = 100,
        }).SetLogHandler((_, _) => { }).SetErrorHandler((_, _) => { }).Build();
        return Retried(() => _producer.InitTransactions(Patience), ct);
    }

    End Abort(CancellationToken ct)
    {
        try
        {
            return Retried(() => _producer!.AbortTransaction(Patience), ct) ? End.Aborted : End.Unknown;
        }
        catch (KafkaException e) when (e.Error.IsFatal)
        {
            Dispose();
            return Renew(ct) ? End.Aborted : End.Unknown;
        }
    }

    static bool Retried(Action step, CancellationToken ct)
    {
        while (true)
        {
            try
            {
                step();
                return true;
            }
            catch (KafkaRetriableException)
            {
                if (ct.IsCancellationRequested) return false;
            }
        }
    }
}
