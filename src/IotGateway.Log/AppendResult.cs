using IotGateway.Log.Records;

namespace IotGateway.Log;

/// <summary>What became of one append.</summary>
/// <param name="Error">None or DuplicateSequence: it is in the log.</param>
/// <param name="BaseOffset">Offset of its first record; -1 on error.</param>
/// <param name="LastOffset">Offset of its last record; -1 on error.</param>
/// <param name="LogAppendTime">Milliseconds, when the topic stamps records itself; else -1.</param>
public readonly record struct AppendResult(AppendError Error, long BaseOffset, long LastOffset, long LogAppendTime)
{
    /// <summary>Why a batch was refused, in words; null where the error says it all.</summary>
    public string? Problem { get; init; }

    /// <summary>The records the topic's rules refuse, or null.</summary>
    public RecordRefusals? Refusals { get; init; }
}

/// <summary>Why an append was refused. Each maps to one Kafka error code.</summary>
public enum AppendError
{
    /// <summary>It was not refused.</summary>
    None,
    /// <summary>The very batch was appended before (idempotent producer): success.</summary>
    DuplicateSequence,
    /// <summary>OUT_OF_ORDER_SEQUENCE_NUMBER (45).</summary>
    OutOfOrderSequence,
    /// <summary>INVALID_PRODUCER_EPOCH (47).</summary>
    InvalidProducerEpoch,
    /// <summary>INVALID_TXN_STATE (48): a batch outside of a transaction from a producer that has one open here.</summary>
    InvalidTransactionState,
    /// <summary>UNKNOWN_PRODUCER_ID (59).</summary>
    UnknownProducerId,
    /// <summary>CORRUPT_MESSAGE (2): CRC or structure.</summary>
    CorruptBatch,
    /// <summary>INVALID_RECORD (87).</summary>
    InvalidRecord,
    /// <summary>MESSAGE_TOO_LARGE (10).</summary>
    TooLarge,
    /// <summary>INVALID_TIMESTAMP (32).</summary>
    InvalidTimestamp,
    /// <summary>UNSUPPORTED_FOR_MESSAGE_FORMAT (43): magic is not 2.</summary>
    UnsupportedFormat,
    /// <summary>UNKNOWN_TOPIC_OR_PARTITION (3): deleted meanwhile.</summary>
    UnknownPartition,
    /// <summary>Nothing is wrong with it, but another append of the unit was refused, so nothing of the unit was written.</summary>
    NotWritten,
}
