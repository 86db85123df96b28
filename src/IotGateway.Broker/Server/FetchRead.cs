using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Log;
using IotGateway.Log.Records;
using Partition = IotGateway.Log.Partition;

namespace IotGateway.Broker.Server;

/// <summary>
/// One pass over the partitions of a fetch. The first batch of the whole answer comes whole even where it is larger than every limit,
/// so that a consumer never gets stuck before it; after that the limits hold.
/// </summary>
/// <param name="log">What is read.</param>
/// <param name="mayRead">Whether the client may read a topic; null: every one.</param>
/// <param name="committed">Whether records of open transactions are left out.</param>
/// <param name="leastBytes">Bytes that the client waits for.</param>
/// <param name="maxBytes">Most bytes of records.</param>
/// <param name="buffers">Where the memory of the records comes from.</param>
/// <param name="memory">Where the records count until they are given back.</param>
internal sealed class FetchRead(LogStore log, Func<string, bool>? mayRead, bool committed, int leastBytes, int maxBytes, ReadBuffers buffers, FetchMemory memory)
{
    int _left = maxBytes;
    int _bytes;

    /// <summary>Bytes of records there are to read within the limits: those read, and where that is less than waited for, also those that the read stopped before.</summary>
    public int Ready { get; private set; }

    /// <summary>Whether any partition has an error or a divergence to tell, which must not wait.</summary>
    public bool Urgent { get; private set; }

    /// <summary>Answers in the items' order. Their records count as held until <see cref="GiveBack"/>.</summary>
    public async ValueTask<List<FetchResponse.PartitionData>> ReadAsync(List<FetchItem> items, CancellationToken ct)
    {
        var answers = new List<FetchResponse.PartitionData>(items.Count);
        try
        {
            foreach (var item in items) answers.Add(await ReadAsync(item, ct));
        }
        catch
        {
            GiveBack(answers, buffers, memory);
            throw;
        }
        return answers;
    }

    /// <summary>Takes the records out of answers that nobody looks at any more.</summary>
    public static void GiveBack(List<FetchResponse.PartitionData> answers, ReadBuffers buffers, FetchMemory memory)
    {
        foreach (var answer in answers)
        {
            memory.Release(answer.Records?.Length ?? 0);
            buffers.GiveBack(answer.Records);
            answer.Records = null;
        }
    }

    async ValueTask<FetchResponse.PartitionData> ReadAsync(FetchItem item, CancellationToken ct)
    {
        var answer = new FetchResponse.PartitionData { PartitionIndex = item.Index, HighWatermark = -1, AbortedTransactions = null };
        var found = item.Find(log);
        if (mayRead is not null && (found?.Topic.Name ?? NameOf(item)) is { } name && !mayRead(name)) return Fail(answer, KafkaError.TopicAuthorizationFailed);
        if (found is not { } partition)
        {
            answer.AbortedTransactions = []; // as Kafka has it
            return Fail(answer, item.TopicId != Guid.Empty && log.Find(item.TopicId) is null ? KafkaError.UnknownTopicId : KafkaError.UnknownTopicOrPartition);
        }
        if (Errors.CheckEpoch(partition, item.LeaderEpoch) is not KafkaError.None and var stale) return Fail(answer, stale);
        try
        {
            await FillAsync(answer, item, partition, ct);
        }
        catch (Exception failure) when (Errors.TryMap(failure, out var error))
        {
            return Fail(answer, error);
        }
        return answer;
    }

    async ValueTask FillAsync(FetchResponse.PartitionData answer, FetchItem item, Partition partition, CancellationToken ct)
    {
        if (item.LastFetchedEpoch >= 0 && Diverging(partition, item) is { } diverging)
        {
            (answer.HighWatermark, answer.LastStableOffset, answer.LogStartOffset) = (partition.HighWatermark, partition.LastStableOffset, partition.LogStart);
            answer.DivergingEpoch = diverging;
            Urgent = true;
            return;
        }
        var limit = Math.Min(item.MaxBytes, _left);
        if (limit <= 0 && _bytes > 0 && item.Offset >= partition.LogStart && item.Offset <= partition.HighWatermark)
        {
            (answer.HighWatermark, answer.LastStableOffset, answer.LogStartOffset) = (partition.HighWatermark, partition.LastStableOffset, partition.LogStart);
            return;
        }
        if (committed && item.Offset >= partition.LastStableOffset && item.Offset <= partition.HighWatermark)
        {
            (answer.HighWatermark, answer.LastStableOffset, answer.LogStartOffset) = (partition.HighWatermark, partition.LastStableOffset, partition.LogStart);
            answer.AbortedTransactions = [];
            return;
        }
        var slice = await partition.ReadAsync(item.Offset, Math.Max(limit, 0), buffers, ct);
        (answer.HighWatermark, answer.LastStableOffset, answer.LogStartOffset) = (slice.HighWatermark, slice.LastStableOffset, slice.LogStart);
        var batches = slice.Batches;
        if (committed)
        {
            (batches, var next) = Below(slice.Batches, slice.LastStableOffset);
            answer.AbortedTransactions = [.. partition.AbortedTransactions(item.Offset, next).Select(a => new FetchResponse.AbortedTransaction { ProducerId = a.ProducerId, FirstOffset = a.FirstOffset })];
        }
        if (batches.Length > limit && _bytes > 0)
        {
            buffers.GiveBack(batches);
            Ready += Math.Max(limit, 0);
            return;
        }
        _bytes += batches.Length;
        _left -= batches.Length;
        Ready += batches.Length;
        if (Ready < leastBytes && batches.Length < limit) Ready += await BehindAsync(partition, batches, committed ? slice.LastStableOffset : slice.HighWatermark, limit - batches.Length, ct);
        answer.Records = batches;
        memory.Hold(batches.Length);
    }

    /// <summary>
    /// Bytes that lie ready behind what was read of a partition, at most as many as are wanted: reading ends before the first batch that does not fit, at the
    /// end of a segment, and before what is not in a segment yet.
    /// </summary>
    async ValueTask<int> BehindAsync(Partition partition, ReadOnlyMemory<byte> batches, long end, int most, CancellationToken ct)
    {
        if (batches.IsEmpty || Below(batches, end).Next is var next && next >= end) return 0;
        try
        {
            var wanted = Math.Min(most, leastBytes - Ready);
            var slice = await partition.ReadAsync(next, wanted, buffers, ct);
            var bytes = Below(slice.Batches, end).Batches.Length;
            buffers.GiveBack(slice.Batches);
            return Math.Min(bytes, most);
        }
        catch (Exception failure) when (Errors.TryMap(failure, out _))
        {
            return 0; // the client is told when it reads there
        }
    }

    /// <summary>Ids are no secret, names are: only a topic that is there can be looked at by its id.</summary>
    string? NameOf(FetchItem item) => item.TopicId == Guid.Empty ? item.Name : log.Find(item.TopicId)?.Name;

    FetchResponse.PartitionData Fail(FetchResponse.PartitionData answer, KafkaError error)
    {
        answer.ErrorCode = (short)error;
        Urgent = true;
        return answer;
    }

    /// <summary>Where the client's history leaves ours (KIP-595), or null.</summary>
    static FetchResponse.EpochEndOffset? Diverging(Partition partition, FetchItem item)
    {
        if (partition.EndOfEpoch(item.LastFetchedEpoch) is not { } end) return new() { Epoch = -1, EndOffset = -1 };
        return end.Epoch < item.LastFetchedEpoch || end.EndOffset < item.Offset ? new() { Epoch = end.Epoch, EndOffset = end.EndOffset } : null;
    }

    /// <summary>The whole batches that start below an offset, and the offset after them.</summary>
    static (ReadOnlyMemory<byte> Batches, long Next) Below(ReadOnlyMemory<byte> batches, long offset)
    {
        var at = 0;
        long next = 0;
        while (batches.Length - at >= RecordBatch.HeaderSize)
        {
            var batch = new RecordBatch(batches.Span[at..]);
            if (batch.BaseOffset >= offset) break;
            at += batch.Size;
            next = batch.LastOffset + 1;
        }
        return (batches[..Math.Min(at, batches.Length)], next);
    }
}
