using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Log.Records;

namespace IotGateway.Broker.Server;

/// <summary>
/// What a version of Produce allows one partition's records to be (KIP-98, KIP-110): from version 3 on exactly one batch of format 2, whose offsets the
/// producer counts from 0, and Zstandard from version 7 on. What is true of every batch, the log checks. Stateless.
/// </summary>
internal static class ProducedBatch
{
    const short Zstandard = 7;

    /// <summary>Whether it is refused; then the answer says why.</summary>
    public static bool Refuses(ReadOnlySpan<byte> records, short version, ProduceResponse.PartitionProduceResponse answer)
    {
        if (Problem(records, version) is not var (error, message)) return false;
        (answer.ErrorCode, answer.ErrorMessage) = ((short)error, message);
        return true;
    }

    static (KafkaError, string)? Problem(ReadOnlySpan<byte> records, short version)
    {
        const int magicAt = 16; // the same place in all formats
        if (records.Length > magicAt && records[magicAt] != 2) return (KafkaError.InvalidRecord, $"Produce version {version} takes record batches of format 2 only.");
        if (records.Length < RecordBatch.HeaderSize) return (KafkaError.CorruptMessage, "The record batch is cut off.");
        var batch = new RecordBatch(records);
        if (!batch.IsWhole) return (KafkaError.CorruptMessage, "The record batch is cut off or has an impossible size.");
        if (batch.Size != records.Length) return (KafkaError.InvalidRecord, $"Produce version {version} takes exactly one record batch for a partition.");
        if (batch.Compression == Compression.Zstd && version < Zstandard)
            return (KafkaError.UnsupportedCompressionType, $"Produce version {version} does not know Zstandard; version {Zstandard} does.");
        return batch.BaseOffset == 0 ? null : (KafkaError.InvalidRecord, $"The base offset of a produced batch is 0, not {batch.BaseOffset}.");
    }
}
