using IotGateway.Log.Records;
using Record = IotGateway.Log.Records.Record;

namespace IotGateway.Log.Tests;

/// <summary>Building and reading of record batches.</summary>
public sealed class RecordsTests
{
    [Fact]
    public void Computes_the_known_checksum()
        => Assert.Equal(0xE3069283u, Crc32C.Of("123456789"u8)); // RFC 3720 appendix B.4's polynomial, the usual check value

    [Fact]
    public void A_checksum_is_the_same_however_the_bytes_are_cut()
    {
        var bytes = new byte[20_000];
        new Random(5).NextBytes(bytes);
        foreach (var length in Enumerable.Range(0, 600).Concat([3071, 3072, 3073, 4096, 6143, 6144, 6145, 9999, 20_000]))
        {
            var expected = ~0u;
            foreach (var b in bytes.AsSpan(0, length)) expected = ByBits(expected, b);
            Assert.Equal(~expected, Crc32C.Of(bytes.AsSpan(0, length)));
            Assert.Equal(expected, Crc32C.Continue(Crc32C.Continue(~0u, bytes.AsSpan(0, length / 3)), bytes.AsSpan(length / 3, length - (length / 3))));
        }
    }

    [Fact]
    public void Checksums_of_neighbours_join_whatever_their_lengths()
    {
        var bytes = new byte[70_000];
        new Random(6).NextBytes(bytes);
        foreach (var length in Enumerable.Range(0, 70).Concat([255, 256, 257, 4095, 16_384, 65_535, 65_536, 69_900]))
        {
            var joined = Crc32C.Continue(Crc32C.Continue(~0u, bytes.AsSpan(0, 99)), Crc32C.Of(bytes.AsSpan(99, length)), length);
            Assert.Equal(Crc32C.Of(bytes.AsSpan(0, 99 + length)), ~joined);
        }
    }

    // RFC 3720 appendix B.4: the polynomial 0x11EDC6F41, bits reflected.
    static uint ByBits(uint crc, byte next)
    {
        crc ^= next;
        for (var bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F63B78u : crc >> 1;
        return crc;
    }

    [Fact]
    public void Reads_what_was_built_nulls_and_headers_included()
    {
        var builder = new RecordBatchBuilder();
        KeyValuePair<string, ReadOnlyMemory<byte>?>[] headers = [new("größe", new byte[] { 1, 2 }), new("none", null), new("größe", Array.Empty<byte>())];
        builder.Add(1000, null, new byte[] { 1 });
        builder.Add(500, new byte[300], null, headers);
        builder.Add(9000, new byte[] { 9 }, new byte[] { 9 });
        builder.RemoveLast();
        builder.Add(1500, Array.Empty<byte>(), Array.Empty<byte>());
        var batch = new RecordBatch(builder.Build().Span);
        Assert.True(batch.IsWhole && batch.ChecksumHolds);
        Assert.Equal((3, 2, 1000L, 1500L), (batch.Count, batch.LastOffsetDelta, batch.BaseTimestamp, batch.MaxTimestamp));
        Assert.Equal(AppendError.None, Check(builder.Build(), 1 << 20));

        var records = new List<Record>();
        foreach (var record in new RecordReader(builder.Build())) records.Add(record);
        Assert.Equal([1000L, 500L, 1500L], records.ConvertAll(r => r.Timestamp));
        Assert.Equal([0L, 1L, 2L], records.ConvertAll(r => r.Offset));
        Assert.Null(records[0].Key);
        Assert.Null(records[1].Value);
        Assert.Equal(300, records[1].Key!.Value.Length);
        Assert.Equal(0, records[2].Key!.Value.Length);
        Assert.Equal(["größe", "none", "größe"], records[1].Headers.Select(h => h.Key));
        Assert.Equal([1, 2], records[1].Headers.First().Value!.Value.ToArray());
        Assert.Null(records[1].Headers.Last("none"));
        Assert.Equal(0, records[1].Headers.Last("größe")!.Value.Length);
    }

    [Fact]
    public void Uses_a_cleared_builder_again_without_allocating()
    {
        var builder = new RecordBatchBuilder(64 << 10);
        var value = new byte[100];
        void Fill()
        {
            builder.Clear();
            for (var i = 0; i < 200; i++) builder.Add(i, value, value, hasKey: i % 2 == 0);
            builder.Build();
        }
        Fill();
        // A collection in between charges the rest of a thread's allocation area to it: the best of five rounds is the code's own.
        Assert.Equal(0, Enumerable.Range(0, 5).Min(_ =>
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            Fill();
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }));
    }

    [Fact]
    public void Refuses_every_batch_with_a_changed_byte_or_a_missing_end()
    {
        var good = Batches.Of("one", "two");
        for (var at = 0; at < good.Length; at++)
        {
            // Base offset and leader epoch are the log's own: a producer may send anything there.
            if (at is < 8 or >= 12 and < 16) continue;
            var bad = (byte[])good.Clone();
            bad[at] ^= 0x41;
            Assert.NotEqual(AppendError.None, Check(bad, 1 << 20));
        }
        for (var length = 0; length < good.Length; length++) Assert.NotEqual(AppendError.None, Check(good.AsMemory(0, length), 1 << 20));
        Assert.Equal(AppendError.TooLarge, Check(good, good.Length - 1));
        Assert.Equal(AppendError.None, Check((byte[])[.. good, .. good], good.Length));
    }

    [Fact]
    public void Never_reads_outside_a_malformed_record()
    {
        var random = new Random(5);
        for (var i = 0; i < 50_000; i++)
        {
            var bytes = Batches.Of("some value", "another");
            for (var n = random.Next(1, 4); n > 0; n--) bytes[random.Next(RecordBatch.HeaderSize, bytes.Length)] = (byte)random.Next(256);
            try
            {
                foreach (var record in new RecordReader(bytes))
                    foreach (var header in record.Headers) Assert.True(header.Key.Length <= bytes.Length);
            }
            catch (InvalidDataException) { }
        }
    }

    static AppendError Check(ReadOnlyMemory<byte> batches, int most) => BatchCheck.Check(batches, most, received: true, RecordRules.None).Error;
}
