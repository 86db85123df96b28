using IotGateway.Log.Records;

namespace IotGateway.Log.Commit;

/// <summary>The end of a partition as the committer sees it, ahead of what is applied. Owned by the committer (by recovery before it).</summary>
sealed class PartitionTail
{
    /// <summary>Offset the next record gets.</summary>
    public long NextOffset { get; set; }
    /// <summary>Base offset of the segment the next append goes to; -1 before the first.</summary>
    public long SegmentBase { get; set; } = -1;
    public long SegmentBytes { get; set; }
    /// <summary>When the first append of the segment came.</summary>
    public long SegmentTime { get; set; }
    /// <summary>Leader epoch stamped on new batches.</summary>
    public int Epoch { get; set; }
    public long LogStart { get; set; }
    public ProducerStates Producers { get; } = new();

    /// <summary>Whether an append of that size opens a new segment.</summary>
    /// <param name="rules">The topic's.</param>
    /// <param name="most">Bytes no segment may exceed, whatever the rules say.</param>
    /// <param name="bytes">Size of the append.</param>
    /// <param name="lastOffset">Its last offset.</param>
    /// <param name="now">The time, ms.</param>
    public bool Rolls(TopicRules rules, long most, int bytes, long lastOffset, long now)
        => SegmentBase < 0
            || (SegmentBytes > 0 && (SegmentBytes + bytes > Math.Min(rules.SegmentBytes, most) || now - SegmentTime >= rules.SegmentAge(SegmentBase)))
            || lastOffset - SegmentBase > int.MaxValue;

    /// <summary>The active segment is closed by an entry of its own: the next append goes to a new one.</summary>
    public void Rolled(long segmentBase, long now) => (SegmentBase, SegmentBytes, SegmentTime) = (segmentBase, 0, now);

    /// <summary>Moves on behind an append that is in a frame.</summary>
    public void Appended(long segmentBase, long nextOffset, int bytes, long now)
    {
        if (segmentBase != SegmentBase || SegmentBytes == 0) Rolled(segmentBase, now);
        SegmentBytes += bytes;
        NextOffset = nextOffset;
    }

    /// <summary>What replay knows of an append.</summary>
    public void Replayed(long segmentBase, ReadOnlySpan<byte> batches, long time)
    {
        var bytes = batches.Length;
        var next = NextOffset;
        for (; !batches.IsEmpty; batches = batches[new RecordBatch(batches).Size..])
        {
            var batch = new RecordBatch(batches);
            Producers.Appended(batch, batch.BaseOffset, time);
            next = batch.LastOffset + 1;
        }
        Appended(segmentBase, next, bytes, time);
    }
}
