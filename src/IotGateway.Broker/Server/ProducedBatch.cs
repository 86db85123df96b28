using System.Buffers.Binary;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Log.Records;

namespace IotGateway.Broker.Server;

/// <summary>
/// What a version of Produce allows one partition's records to be (KIP-98, KIP-110): from version 3 on exactly one batch of format 2, whose offsets the
/// producer counts from 0, and Zstandard from version 7 on. What is true of every batch, the log checks. As in Kafka, the beginning of a batch that is cut
/// off is as if it were not there. Stateless.
/// </summary>
internal static class ProducedBatch
{
    const short Zstandard = 7;
    const int LengthAt = 8, MagicAt = 16; // the same places in all formats
    const int LeastLength = 14;           // of the oldest format's records: CRC, magic, attributes, lengths of key and value

    /// <summary>Whether it is refused; then the answer says why. Else <paramref name="size"/> is the batch's.</summary>
    public static bool Refuses(ReadOnlySpan<byte> records, short version, ProduceResponse.PartitionProduceResponse answer, out int size)
    {
        size = 0;
        if (Problem(records, version, ref size) is not var (error, message)) return false;
        (answer.ErrorCode, answer.ErrorMessage) = ((short)error, message);
        return true;
    }

    static (KafkaError, string)? Problem(ReadOnlySpan<byte> records, short version, ref int size)
    {
        if (!TryFind(records, out size, out var problem)) return problem ?? (KafkaError.InvalidRecord, "There is no whole record batch.");
        if (records[MagicAt] != 2) return (KafkaError.InvalidRecord, $"Produce version {version} takes record batches of format 2 only.");
        var batch = new RecordBatch(records);
        if (size < RecordBatch.HeaderSize || !batch.IsWhole) return (KafkaError.CorruptMessage, "The record batch has an impossible size.");
        if (TryFind(records[size..], out _, out problem)) return (KafkaError.InvalidRecord, $"Produce version {version} takes exactly one record batch for a partition.");
        if (problem is not null) return problem;
        if (batch.Compression == Compression.Zstd && version < Zstandard)
            return (KafkaError.UnsupportedCompressionType, $"Produce version {version} does not know Zstandard; version {Zstandard} does.");
        return batch.BaseOffset == 0 ? null : (KafkaError.InvalidRecord, $"The base offset of a produced batch is 0, not {batch.BaseOffset}.");
    }

    // False: there is none, or only the beginning of one, or, with a problem, something else.
    static bool TryFind(ReadOnlySpan<byte> records, out int size, out (KafkaError, string)? problem)
    {
        (size, problem) = (0, null);
        if (records.Length < LengthAt + sizeof(int)) return false;
        var length = BinaryPrimitives.ReadInt32BigEndian(records[LengthAt..]);
        if (length < LeastLength) problem = (KafkaError.CorruptMessage, "The record batch has an impossible size.");
        else if (records.Length > MagicAt && records[MagicAt] > 2) problem = (KafkaError.CorruptMessage, $"There is no format {records[MagicAt]} of records.");
        else if (records.Length > MagicAt && length <= records.Length - LengthAt - sizeof(int))
        {
            size = LengthAt + sizeof(int) + length;
            return true;
        }
        return false;
    }
}
