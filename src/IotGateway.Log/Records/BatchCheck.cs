namespace IotGateway.Log.Records;

/// <summary>
/// Checks what a producer sent as Kafka's broker does before it is let in: whole v2 batches, back to back, checksum, count and offset
/// deltas. Needs no state, so it runs on the caller's thread. Compressed records are not opened here.
/// </summary>
static class BatchCheck
{
    /// <param name="batches">What is to be appended.</param>
    /// <param name="maxBatchBytes">max.message.bytes of the topic.</param>
    public static AppendError Check(ReadOnlySpan<byte> batches, int maxBatchBytes)
    {
        if (batches.IsEmpty) return AppendError.CorruptBatch;
        while (!batches.IsEmpty)
        {
            // The magic byte lies at the same place in the old formats (KIP-98).
            if (batches.Length > RecordBatch.MagicAt && batches[RecordBatch.MagicAt] is 0 or 1) return AppendError.UnsupportedFormat;
            if (batches.Length < RecordBatch.HeaderSize) return AppendError.CorruptBatch;
            var batch = new RecordBatch(batches);
            if (!batch.IsWhole || batch.Magic != 2) return AppendError.CorruptBatch;
            if (batch.Size > maxBatchBytes) return AppendError.TooLarge;
            if (!batch.ChecksumHolds) return AppendError.CorruptBatch;
            if (Structure(batch) is not AppendError.None and var error) return error;
            batches = batches[batch.Size..];
        }
        return AppendError.None;
    }

    static AppendError Structure(in RecordBatch batch)
    {
        if (batch.Count <= 0 || batch.LastOffsetDelta != batch.Count - 1) return AppendError.InvalidRecord;
        if (batch.IsControl || (batch.IsTransactional && batch.ProducerId < 0)) return AppendError.InvalidRecord; // markers are the log's own
        if ((int)batch.Compression > (int)Compression.Zstd) return AppendError.InvalidRecord;
        if (batch.ProducerId >= 0 && (batch.BaseSequence < 0 || batch.ProducerEpoch < 0)) return AppendError.InvalidRecord;
        return batch.Compression != Compression.None || RecordsAreWhole(batch) ? AppendError.None : AppendError.InvalidRecord;
    }

    static bool RecordsAreWhole(in RecordBatch batch)
    {
        var records = new RecordCursor(batch.Records);
        for (var i = 0; i < batch.Count; i++)
            if (!records.TryNext() || records.OffsetDelta != i) return false;
        return records.AtEnd;
    }
}
