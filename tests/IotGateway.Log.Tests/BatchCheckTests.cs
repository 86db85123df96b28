using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using IotGateway.Log.Records;
using Compression = IotGateway.Log.Records.Compression;

namespace IotGateway.Log.Tests;

/// <summary>What clients send is looked into, compressed or not, before it is let in.</summary>
public sealed class BatchCheckTests
{
    const int Large = 8 << 20;

    [Theory, InlineData(false), InlineData(true)]
    public void Takes_good_batches_and_finds_their_greatest_time(bool packed)
    {
        var batch = Sealed(Builder(3), packed);
        Assert.Equal(new BatchVerdict(AppendError.None) { MaxTimestamp = 1002 }, Check(batch));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Refuses_more_or_fewer_records_than_the_header_says(bool packed)
    {
        foreach (var count in (int[])[1, 2, 4, 1000])
        {
            var batch = Sealed(Builder(3), packed, header =>
            {
                BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(RecordBatch.CountAt), count);
                BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(RecordBatch.LastDeltaAt), count - 1);
            });
            Assert.Equal(AppendError.InvalidRecord, Check(batch).Error);
        }
    }

    [Theory, InlineData(false), InlineData(true)]
    public void Refuses_bytes_behind_the_last_record_and_a_record_cut_off(bool packed)
    {
        var whole = Records(Builder(3));
        Assert.Equal(AppendError.InvalidRecord, Check(Sealed(Builder(3), packed, records: [.. whole, 0])).Error);
        Assert.Equal(AppendError.InvalidRecord, Check(Sealed(Builder(3), packed, records: whole[..^1])).Error);
    }

    [Theory, InlineData(false), InlineData(true)]
    public void Refuses_offsets_that_do_not_follow_each_other(bool packed)
    {
        var records = Records(Builder(2));
        records[3] = 4; // the first record's offset delta, after its length, attributes and time: 2 instead of 0
        Assert.Equal(AppendError.InvalidRecord, Check(Sealed(Builder(2), packed, records: records)).Error);
    }

    [Theory, InlineData(false), InlineData(true)]
    public void Refuses_times_that_claim_to_be_those_of_the_append(bool packed)
        => Assert.Equal(AppendError.InvalidTimestamp, Check(Sealed(Builder(2), packed, header => header[RecordBatch.AttributesAt + 1] |= RecordBatch.LogAppendTimeBit)).Error);

    [Theory, InlineData(false), InlineData(true)]
    public void Names_the_records_that_a_topic_refuses(bool packed)
    {
        var builder = new RecordBatchBuilder();
        builder.Add(1000, "k"u8, "v"u8);
        builder.Add(1000, default, "v"u8, hasKey: false);
        builder.Add(9000, "k"u8, "v"u8);
        var keys = Check(Sealed(builder, packed), RecordRules.None with { NeedsKeys = true });
        Assert.Equal((AppendError.InvalidRecord, 1), (keys.Error, Assert.Single(keys.Refusals!.List).Index));
        var times = Check(Sealed(builder, packed), RecordRules.None with { Latest = 8999, Earliest = 1000 });
        Assert.Equal((AppendError.InvalidTimestamp, 2), (times.Error, Assert.Single(times.Refusals!.List).Index));
    }

    [Fact]
    public void Says_corrupt_to_what_does_not_decompress()
    {
        var batch = Sealed(Builder(3), true);
        batch[RecordBatch.HeaderSize + 12] ^= 0xFF;
        RecordBatch.Seal(batch);
        Assert.Equal(AppendError.CorruptBatch, Check(batch).Error);
    }

    [Fact]
    public void Walks_records_cut_anywhere_to_the_same_end()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var round = 0; round < 500; round++)
        {
            var builder = new RecordBatchBuilder();
            for (var n = random.Next(1, 20); n > 0; n--)
                builder.Add(random.Next(10_000), random.Next(3) == 0 ? null : new byte[random.Next(200)], random.Next(3) == 0 ? null : new byte[random.Next(40_000)],
                    [.. Enumerable.Range(0, random.Next(4)).Select(i => new KeyValuePair<string, ReadOnlyMemory<byte>?>("name" + i, i % 2 == 0 ? null : new byte[random.Next(100)]))]);
            var batch = new RecordBatch(builder.Build().Span);
            var walk = new RecordWalk(batch, RecordRules.None);
            for (var rest = batch.Records; !rest.IsEmpty;)
            {
                var piece = rest[..random.Next(1, Math.Min(rest.Length, random.Next(2) == 0 ? 5 : 50_000) + 1)];
                walk.Take(piece);
                rest = rest[piece.Length..];
            }
            walk.End();
            Assert.True(walk.MaxTimestamp == batch.MaxTimestamp, $"seed {seed}, round {round}");
        }
    }

    [Fact]
    public void Changed_records_are_refused_or_read_the_same_way_by_both_walks()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var round = 0; round < 20_000; round++)
        {
            var plain = Sealed(Builder(4), false);
            for (var n = random.Next(1, 3); n > 0; n--) plain[random.Next(RecordBatch.HeaderSize, plain.Length)] = (byte)random.Next(256);
            RecordBatch.Seal(plain);
            var walked = AppendError.None;
            try
            {
                var walk = new RecordWalk(new(plain), RecordRules.None);
                walk.Take(new RecordBatch(plain).Records);
                walk.End();
            }
            catch (RecordFormatException)
            {
                walked = AppendError.InvalidRecord;
            }
            Assert.True(walked == Check(plain).Error, $"seed {seed}, round {round}");
        }
    }

    [Theory]
    [InlineData(Compression.Gzip)]
    [InlineData(Compression.Zstd)]
    public void A_bomb_is_refused_early_and_costs_no_memory(Compression compression)
    {
        var records = compression == Compression.Gzip ? Gzip(new byte[200 << 20]) : ZstdZeros(200 << 20);
        // One record that claims to be as long as the bomb opens to: its length, attributes, time, offset, no key and a value.
        byte[] start = [0x80, 0x80, 0x80, 0x64, 0, 0, 0, 1, 0xE0, 0xFF, 0xFF, 0x63];
        foreach (var content in (byte[][])[records, compression == Compression.Gzip ? Gzip([.. start, .. new byte[200 << 20]]) : [.. ZstdRaw(start), .. records]])
        {
            var batch = Sealed(Builder(1), true, header => header[RecordBatch.AttributesAt + 1] = (byte)compression, content, pack: false);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var clock = System.Diagnostics.Stopwatch.StartNew();
            Assert.NotEqual(AppendError.None, Check(batch).Error);
            // What is kept grows in steps, each twice the one before, which goes: all steps together are twice the last.
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2 * Math.Max(1 << 20, 16 * batch.Length));
            Assert.InRange(clock.ElapsedMilliseconds, 0, 1000);
        }
    }

    static BatchVerdict Check(byte[] batch, RecordRules? rules = null) => BatchCheck.Check(batch, Large, received: true, rules ?? RecordRules.None);

    static RecordBatchBuilder Builder(int records)
    {
        var builder = new RecordBatchBuilder();
        for (var i = 0; i < records; i++) builder.Add(1000 + i, Encoding.UTF8.GetBytes("key" + i), Encoding.UTF8.GetBytes("value " + i));
        return builder;
    }

    static byte[] Records(RecordBatchBuilder builder) => new RecordBatch(builder.Build().Span).Records.ToArray();

    /// <summary>The batch with other records or a changed header, packed with gzip if wanted, and sealed.</summary>
    static byte[] Sealed(RecordBatchBuilder builder, bool packed, Action<byte[]>? change = null, byte[]? records = null, bool pack = true)
    {
        records ??= Records(builder);
        if (packed && pack) records = Gzip(records);
        byte[] batch = [.. builder.Build().Span[..RecordBatch.HeaderSize], .. records];
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(RecordBatch.LengthAt), batch.Length - RecordBatch.LengthOverhead);
        if (packed) batch[RecordBatch.AttributesAt + 1] = (byte)Compression.Gzip;
        change?.Invoke(batch);
        RecordBatch.Seal(batch);
        return batch;
    }

    static byte[] Gzip(byte[] content)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal)) gzip.Write(content);
        return packed.ToArray();
    }

    // Frames of raw and of repeated-byte blocks (RFC 8878 §3.1.1.2), with a window of 8 MiB.
    static byte[] ZstdRaw(byte[] content) => [0x28, 0xB5, 0x2F, 0xFD, 0x00, 13 << 3, (byte)((content.Length << 3) | 1), (byte)(content.Length >> 5), 0, .. content];

    static byte[] ZstdZeros(int length)
    {
        const int block = 128 << 10;
        var frame = new List<byte> { 0x28, 0xB5, 0x2F, 0xFD, 0x00, 13 << 3 };
        for (var left = length / block; left > 0; left--)
        {
            var header = (block << 3) | (1 << 1) | (left == 1 ? 1 : 0);
            frame.AddRange([(byte)header, (byte)(header >> 8), (byte)(header >> 16), 0]);
        }
        return [.. frame];
    }
}
