using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Log;
using IotGateway.Log.Records;

namespace IotGateway.Broker.Server;

/// <summary>
/// A compacted topic keeps the last record of each key, so it takes none without a key; the producer is told which ones of its records
/// those are (KIP-467), and nothing of the batch is appended.
/// </summary>
internal static class CompactedTopics
{
    const string Problem = "The topic is compacted: a record needs a key.";

    /// <summary>Refuses the batches when the topic is compacted and one of their records has no key; whether it did.</summary>
    public static bool Refuses(Topic topic, ReadOnlyMemory<byte> batches, ProduceResponse.PartitionProduceResponse answer)
    {
        if (!IsCompacted(topic)) return false;
        try
        {
            var index = 0;
            foreach (var record in new RecordReader(batches))
            {
                if (record.Key is null) answer.RecordErrors.Add(new() { BatchIndex = index, BatchIndexErrorMessage = Problem });
                index++;
            }
        }
        catch (InvalidDataException malformed)
        {
            answer.RecordErrors.Clear();
            (answer.ErrorCode, answer.ErrorMessage) = ((short)KafkaError.CorruptMessage, malformed.Message);
            return true;
        }
        if (answer.RecordErrors.Count == 0) return false;
        (answer.ErrorCode, answer.ErrorMessage) = ((short)KafkaError.InvalidRecord, $"{answer.RecordErrors.Count} record(s) without a key. {Problem}");
        return true;
    }

    static bool IsCompacted(Topic topic)
        => topic.Config.Settings.TryGetValue("cleanup.policy", out var policy) && policy.Contains("compact", StringComparison.Ordinal);
}
