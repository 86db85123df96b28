using System.Text;
using IotGateway.Log.Compaction;
using IotGateway.Log.Records;
using IotGateway.Log.Records.Packers;

namespace IotGateway.Log.Tests;

/// <summary>Rule 12: compaction writes a packed batch of which something goes anew, plain; the rest of it is as it was, record by record.</summary>
public sealed class CleanedBatchTests
{
    [Theory]
    [InlineData(Compression.Gzip)]
    [InlineData(Compression.Snappy)]
    [InlineData(Compression.Lz4)]
    [InlineData(Compression.Zstd)]
    public void A_packed_batch_that_shrinks_is_plain_and_its_records_are_what_they_were(Compression compression)
    {
        var builder = new RecordBatchBuilder { ProducerId = 7, ProducerEpoch = 1, BaseSequence = 5 };
        for (var i = 0; i < 20; i++) builder.Add(1000 + i, Encoding.UTF8.GetBytes($"key {i}"), Encoding.UTF8.GetBytes($"value {i}"));
        var plain = builder.Build().ToArray();
        var packed = BatchPacker.Pack(plain, new(compression, 3), 1 << 20)!.Value;
        var map = new OffsetMap(100);
        for (var i = 0; i < 20; i += 2) map.Put(OffsetMap.Hash(Encoding.UTF8.GetBytes($"key {i}")), 10_000); // newer ones

        var cleaned = new BatchCleaner(map, 0, 1000).Clean(packed, keepEmpty: true);
        var batch = new RecordBatch(cleaned.Span);
        Assert.True(batch.IsWhole && batch.ChecksumHolds);
        Assert.Equal((Compression.None, 10, 0L, 19L, 7L, 1, 5), (batch.Compression, batch.Count, batch.BaseOffset, batch.LastOffset, batch.ProducerId, batch.ProducerEpoch, batch.BaseSequence));
        Assert.Equal(Told(plain).Where((_, i) => i % 2 == 1), Told(cleaned));
        // All of it stays: the very bytes that came.
        Assert.Equal(packed, new BatchCleaner(new(100), 0, 1000).Clean(packed, keepEmpty: true));
    }

    static List<(long, long, string, string)> Told(ReadOnlyMemory<byte> batch)
    {
        var told = new List<(long, long, string, string)>();
        foreach (var record in new RecordReader(batch)) told.Add((record.Offset, record.Timestamp, Encoding.UTF8.GetString(record.Key!.Value.Span), Encoding.UTF8.GetString(record.Value!.Value.Span)));
        return told;
    }
}
