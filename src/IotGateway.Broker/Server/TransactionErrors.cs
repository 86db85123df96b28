using IotGateway.Broker.Protocol;

namespace IotGateway.Broker.Server;

/// <summary>Error codes of the transaction APIs by what the client's version knows.</summary>
internal static class TransactionErrors
{
    /// <summary>Clients before KIP-588 know one code for a producer that was fenced.</summary>
    public static KafkaError Known(KafkaError error, bool knowsFenced) => error == KafkaError.ProducerFenced && !knowsFenced ? KafkaError.InvalidProducerEpoch : error;

    /// <summary>For what was not added to the transaction: clients that know of it (KIP-890) are told that an abort mends it.</summary>
    public static KafkaError NotAdded(KafkaError error, bool knowsAbortable) => error == KafkaError.InvalidTxnState && knowsAbortable ? KafkaError.TransactionAbortable : error;

    /// <summary>Awaits what has no answer but that it is done.</summary>
    public static Task<KafkaError> Of(Task work)
    {
        return Of(DoneAsync(), knowsFenced: true);

        async Task<KafkaError> DoneAsync()
        {
            await work;
            return KafkaError.None;
        }
    }

    /// <summary>Awaits an answer; a failure of the log is told as the retriable code all of these APIs have.</summary>
    public static async Task<KafkaError> Of(Task<KafkaError> answer, bool knowsFenced)
    {
        try
        {
            return Known(await answer, knowsFenced);
        }
        catch (Exception failure) when (Errors.TryMap(failure, out _))
        {
            return KafkaError.CoordinatorNotAvailable;
        }
    }
}
