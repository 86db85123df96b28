using System.Text;
using IotGateway.Log.Records;
using Record = IotGateway.Log.Records.Record;

namespace IotGateway.Log.Tests;

/// <summary>Small batches for tests, and what is read of them.</summary>
static class Batches
{
    public const long Time = 1_700_000_000_000;

    public static byte[] Of(params string[] values) => At(Time, values);

    public static byte[] At(long time, params string[] values)
    {
        var builder = new RecordBatchBuilder();
        foreach (var value in values) builder.Add(time, default, Encoding.UTF8.GetBytes(value), hasKey: false);
        return builder.Build().ToArray();
    }

    public static byte[] Idempotent(long producer, short epoch, int sequence, params string[] values)
    {
        var builder = new RecordBatchBuilder { ProducerId = producer, ProducerEpoch = epoch, BaseSequence = sequence };
        foreach (var value in values) builder.Add(Time, default, Encoding.UTF8.GetBytes(value), hasKey: false);
        return builder.Build().ToArray();
    }

    /// <summary>As a transactional producer sends them.</summary>
    public static byte[] Transactional(long producer, short epoch, int sequence, params string[] values)
    {
        var batch = Idempotent(producer, epoch, sequence, values);
        batch[RecordBatch.AttributesAt + 1] |= RecordBatch.TransactionalBit;
        RecordBatch.Seal(batch);
        return batch;
    }

    /// <summary>What a reader of committed records gets.</summary>
    public static async Task<List<string>> CommittedAsync(this Partition partition, int maxBytes = 1 << 20)
    {
        var all = new List<string>();
        for (var offset = partition.LogStart; offset < partition.LastStableOffset;)
        {
            var slice = await partition.ReadAsync(offset, maxBytes, default);
            var batches = partition.Committed(slice);
            while (batches.MoveNext())
            {
                foreach (var record in new RecordReader(batches.Current)) all.Add(Encoding.UTF8.GetString(record.Value!.Value.Span));
                offset = batches.NextOffset;
            }
        }
        return all;
    }

    public static async Task<List<Record>> RecordsAsync(this Partition partition, long from = -1, int maxBytes = 1 << 20)
    {
        var all = new List<Record>();
        for (var offset = from < 0 ? partition.LogStart : from; offset < partition.HighWatermark;)
        {
            var slice = await partition.ReadAsync(offset, maxBytes, default);
            foreach (var record in new RecordReader(slice.Batches))
            {
                if (record.Offset < offset) continue;
                all.Add(record);
                offset = record.Offset + 1;
            }
            // A marker has an offset, but no records.
            for (var rest = slice.Batches; !rest.IsEmpty; rest = rest[new RecordBatch(rest.Span).Size..]) offset = Math.Max(offset, new RecordBatch(rest.Span).LastOffset + 1);
        }
        return all;
    }

    public static async Task<List<string>> ValuesAsync(this Partition partition, long from = -1, int maxBytes = 1 << 20)
        => (await partition.RecordsAsync(from, maxBytes)).ConvertAll(r => Encoding.UTF8.GetString(r.Value!.Value.Span));
}
