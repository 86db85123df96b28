using IotGateway.Broker.Protocol;
using IotGateway.Log;

namespace IotGateway.Broker.Server;

/// <summary>The one place where the log's refusals become Kafka's error codes.</summary>
internal static class Errors
{
    public static KafkaError Of(AppendError error) => error switch
    {
        AppendError.None or AppendError.DuplicateSequence => KafkaError.None,
        AppendError.OutOfOrderSequence => KafkaError.OutOfOrderSequenceNumber,
        AppendError.InvalidProducerEpoch => KafkaError.InvalidProducerEpoch,
        AppendError.InvalidTransactionState => KafkaError.InvalidTxnState,
        AppendError.UnknownProducerId => KafkaError.UnknownProducerId,
        AppendError.CorruptBatch => KafkaError.CorruptMessage,
        AppendError.InvalidRecord => KafkaError.InvalidRecord,
        AppendError.TooLarge => KafkaError.MessageTooLarge,
        AppendError.InvalidTimestamp => KafkaError.InvalidTimestamp,
        AppendError.UnsupportedFormat => KafkaError.UnsupportedForMessageFormat,
        AppendError.UnknownPartition => KafkaError.UnknownTopicOrPartition,
        _ => KafkaError.UnknownServerError,
    };

    /// <summary>Whether a failure of the log is one that clients are told of, and as what. Others are bugs and end the connection.</summary>
    public static bool TryMap(Exception failure, out KafkaError error)
    {
        error = failure switch
        {
            TopicExistsException => KafkaError.TopicAlreadyExists,
            UnknownTopicException => KafkaError.UnknownTopicOrPartition,
            OffsetOutOfRangeException => KafkaError.OffsetOutOfRange,
            // Retriable for producers, so that back-pressure reaches the application.
            LogFullException or LogFailedException or LogSpoiltException => KafkaError.KafkaStorageError,
            _ => KafkaError.None,
        };
        return error != KafkaError.None;
    }

    /// <summary>Checks the epoch a client believes in against the partition's (KIP-320); -1 is no belief.</summary>
    public static KafkaError CheckEpoch(Partition partition, int believed)
        => believed < 0 || believed == partition.LeaderEpoch ? KafkaError.None
            : believed < partition.LeaderEpoch ? KafkaError.FencedLeaderEpoch : KafkaError.UnknownLeaderEpoch;
}
