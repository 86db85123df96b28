using IotGateway.Log.Records;

namespace IotGateway.Broker.Transactions;

/// <summary>Whose transaction the batches of a produce request say they are. Looks at headers only; the log checks the rest.</summary>
internal static class ClaimedBatches
{
    /// <summary>Null when none is transactional, or the bytes are not whole batches, which the log refuses.</summary>
    /// <param name="batches">The batches of one partition.</param>
    /// <param name="mixed">Set when they are not all of one producer's transaction.</param>
    public static (long ProducerId, short Epoch)? Of(ReadOnlySpan<byte> batches, out bool mixed)
    {
        mixed = false;
        (long, short)? claim = null;
        var plain = false;
        while (batches.Length >= RecordBatch.HeaderSize)
        {
            var batch = new RecordBatch(batches);
            if (!batch.IsWhole || batch.Magic != 2) return null;
            plain |= !batch.IsTransactional;
            if (batch.IsTransactional)
            {
                var its = (batch.ProducerId, batch.ProducerEpoch);
                mixed |= claim is { } other && other != its;
                claim = its;
            }
            batches = batches[batch.Size..];
        }
        mixed |= claim is not null && plain;
        return claim;
    }
}
