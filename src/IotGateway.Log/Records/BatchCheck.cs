namespace IotGateway.Log.Records;

/// <summary>
/// Checks what is to be appended before it is let in, as Kafka's broker does: whole v2 batches, back to back, checksum, count and offset deltas; of what
/// clients send, compressed records too, which are opened as a stream, never kept whole. Needs no state, so it runs on the caller's thread.
/// </summary>
static class BatchCheck
{
    /// <summary>
    /// Most bytes the records of one batch may open to: as many as the largest request could bring uncompressed (Kafka's socket.request.max.bytes).
    /// </summary>
    public const int MaxOpened = 100 << 20;

    /// <summary>Checks batches; <see cref="BatchVerdict.Error"/> is that of the first bad one.</summary>
    /// <param name="batches">What is to be appended.</param>
    /// <param name="maxBatchBytes">max.message.bytes of the topic.</param>
    /// <param name="received">Whether a client sent them; what the gateway itself made need not be opened.</param>
    /// <param name="rules">What the topic asks of records received.</param>
    public static BatchVerdict Check(ReadOnlyMemory<byte> batches, int maxBatchBytes, bool received, in RecordRules rules)
    {
        if (batches.IsEmpty) return new(AppendError.CorruptBatch);
        var verdict = default(BatchVerdict);
        for (; !batches.IsEmpty && verdict.Error == AppendError.None; batches = batches[new RecordBatch(batches.Span).Size..])
        {
            var error = Header(batches.Span, maxBatchBytes);
            if (error != AppendError.None) return new(error);
            if (received && new RecordBatch(batches.Span).IsLogAppendTime) return new(AppendError.InvalidTimestamp) { Problem = "Whether times are those of the append is the broker's to say." };
            verdict = Records(batches, received, rules);
            if (verdict.Error != AppendError.None) return verdict;
        }
        return verdict;
    }

    static AppendError Header(ReadOnlySpan<byte> bytes, int maxBatchBytes)
    {
        // The magic byte lies at the same place in the old formats (KIP-98).
        if (bytes.Length > RecordBatch.MagicAt && bytes[RecordBatch.MagicAt] is 0 or 1) return AppendError.UnsupportedFormat;
        if (bytes.Length < RecordBatch.HeaderSize) return AppendError.CorruptBatch;
        var batch = new RecordBatch(bytes);
        if (!batch.IsWhole || batch.Magic != 2) return AppendError.CorruptBatch;
        if (batch.Size > maxBatchBytes) return AppendError.TooLarge;
        if (!batch.ChecksumHolds) return AppendError.CorruptBatch;
        if (batch.Count <= 0 || batch.LastOffsetDelta != batch.Count - 1) return AppendError.InvalidRecord;
        if (batch.IsControl || (batch.IsTransactional && batch.ProducerId < 0)) return AppendError.InvalidRecord; // markers are the log's own
        if ((int)batch.Compression > (int)Compression.Zstd) return AppendError.InvalidRecord;
        return batch.ProducerId >= 0 && (batch.BaseSequence < 0 || batch.ProducerEpoch < 0) ? AppendError.InvalidRecord : AppendError.None;
    }

    static BatchVerdict Records(ReadOnlyMemory<byte> bytes, bool received, in RecordRules rules)
    {
        var batch = new RecordBatch(bytes.Span);
        if (batch.Compression == Compression.None) return Plain(batch, rules);
        if (!received) return default;
        var walk = new RecordWalk(batch, rules);
        try
        {
            Decompressor.Walk(batch.Compression, bytes[RecordBatch.HeaderSize..batch.Size], walk, MaxOpened);
        }
        catch (RecordFormatException wrong)
        {
            return new(AppendError.InvalidRecord) { Problem = wrong.Message };
        }
        catch (Exception corrupt) when (corrupt is InvalidDataException or WindowException)
        {
            return new(AppendError.CorruptBatch) { Problem = corrupt.Message };
        }
        return Verdict(walk.Refusals, walk.MaxTimestamp);
    }

    static BatchVerdict Plain(in RecordBatch batch, in RecordRules rules)
    {
        var records = new RecordCursor(batch.Records);
        var (greatest, start) = (long.MinValue, batch.BaseTimestamp);
        RecordRefusals? refusals = null;
        for (var i = 0; i < batch.Count; i++)
        {
            if (!records.TryNext() || records.OffsetDelta != i) return new(AppendError.InvalidRecord) { Problem = $"Record {i} of {batch.Count} is malformed." };
            var time = unchecked(start + records.TimestampDelta);
            greatest = Math.Max(greatest, time);
            if (rules.NeedsKeys && records.Key.Length < 0) (refusals ??= new()).Key(i);
            if (rules.OutOfTime(time)) (refusals ??= new()).Time(i, time);
        }
        return records.AtEnd ? Verdict(refusals, greatest)
            : new(AppendError.InvalidRecord) { Problem = $"There are bytes behind the last of {batch.Count} records." };
    }

    static BatchVerdict Verdict(RecordRefusals? refusals, long maxTimestamp) => refusals is null
        ? new(AppendError.None) { MaxTimestamp = maxTimestamp }
        : new(refusals.OutOfTime ? AppendError.InvalidTimestamp : AppendError.InvalidRecord) { Refusals = refusals, Problem = refusals.List[0].Reason };
}
