using System.Buffers.Binary;
using System.Text;
using IotGateway.Log.Bytes;
using IotGateway.Log.Compaction;
using IotGateway.Log.Records;
using IotGateway.Log.Records.Packers;
using Compression = IotGateway.Log.Records.Compression;

namespace IotGateway.Log.Tests;

/// <summary>Batches that open to hundreds of times their size: whoever opens one holds no more of it than 1 MiB, or sixteen times the batch.</summary>
[Collection(nameof(Alone))]
public sealed class BombTests
{
    const int Count = 300, Size = 100_000;

    /// <summary>Pieces on their way, and arrays of the pool that are larger than asked for.</summary>
    const long Slack = 512 << 10;

    public static TheoryData<Compression> All { get; } = [Compression.Gzip, Compression.Snappy, Compression.Lz4, Compression.Zstd];

    [Theory, MemberData(nameof(All))]
    public void Its_records_are_read_one_by_one_and_never_there_at_once(Compression compression)
    {
        var bomb = Bomb(compression);
        Read(bomb, at: -1); // what the pool and the compiler keep is not the reader's
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var most = 0L;
        for (var at = 20; at < Count; at += 70) most = Math.Max(most, Read(bomb, at) - before);
        Assert.InRange(most, 1, Decompressor.Memory(bomb.Length) + Slack);
        Assert.True(most < (long)Count * Size / 4, $"{most} bytes: it opens to so little that this shows nothing.");
    }

    [Theory, MemberData(nameof(All))]
    public void Compaction_looks_at_it_piece_by_piece_and_leaves_it_until_little_stays(Compression compression)
    {
        var bomb = Bomb(compression);
        var most = Decompressor.Memory(bomb.Length);
        var fits = (int)(most / (Size + 100));
        // Nothing newer; newer ones for some; for all but what may be held; for all.
        foreach (var (newer, expected) in (ReadOnlySpan<(int, int)>)[(0, Count), (10, Count), (Count - fits, fits), (Count, 0)])
        {
            var map = new OffsetMap(2 * Count);
            for (var i = 0; i < newer; i++) map.Put(OffsetMap.Hash(Key(i)), 10_000);
            new BatchCleaner(map, 0, 1000).Clean(bomb, keepEmpty: false); // the pool's arrays are not the cleaner's: Zstandard takes large ones where it refers far back
            var allocated = GC.GetAllocatedBytesForCurrentThread();
            var kept = new BatchCleaner(map, 0, 1000).Clean(bomb, keepEmpty: false);
            allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
            Assert.Equal(expected, kept.IsEmpty ? 0 : new RecordBatch(kept.Span).Count);
            Assert.True(expected < Count || kept.Equals(bomb), "What cannot be made smaller stays as it came.");
            // A buffer that grows by doubling leaves all the smaller ones behind.
            Assert.InRange(allocated, 0, 4 * most + Slack);
        }
    }

    [Fact]
    public void A_topic_that_packs_otherwise_takes_it_as_it_came_and_one_without_compression_refuses_it()
    {
        var bomb = Bomb(Compression.Zstd);
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(bomb, BatchPacker.Pack(bomb, new(Compression.Lz4, 9), 1 << 20)!.Value.ToArray());
        Assert.Null(BatchPacker.Pack(bomb, new(Compression.None, 0), 1 << 20));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, 8 * Decompressor.Memory(bomb.Length));
    }

    [Theory, MemberData(nameof(All))]
    public void A_record_larger_than_a_piece_comes_whole(Compression compression)
    {
        var values = (byte[][])[new byte[3], Noise(70_000), Noise(1_500_000), [], Noise(65_536), Noise(65_500), new byte[2_000_000]];
        var builder = new RecordBatchBuilder();
        foreach (var value in values) builder.Add(Batches.Time, default, value, hasKey: false);
        var batch = Packed(builder, compression);
        var i = 0;
        foreach (var record in new RecordReader(batch)) Assert.Equal(values[i++], record.Value!.Value.ToArray());
        Assert.Equal(values.Length, i);
    }

    [Fact]
    public void Records_kept_do_not_change_when_the_walk_goes_on()
    {
        var builder = new RecordBatchBuilder();
        for (var i = 0; i < 5000; i++) builder.Add(Batches.Time, default, Encoding.UTF8.GetBytes($"{i} {new string('x', i % 100)}"), hasKey: false);
        var batch = Packed(builder, Compression.Zstd);
        var all = new List<ReadOnlyMemory<byte>>();
        foreach (var record in new RecordReader(batch)) all.Add(record.Value!.Value);
        Assert.Equal(5000, all.Count);
        for (var i = 0; i < all.Count; i++) Assert.Equal($"{i} {new string('x', i % 100)}", Encoding.UTF8.GetString(all[i].Span));
    }

    /// <summary>Reads all of it; the process's memory in use at that record, or 0.</summary>
    static long Read(byte[] bomb, int at)
    {
        var (count, memory) = (0, 0L);
        foreach (var record in new RecordReader(bomb))
        {
            Assert.Equal((count, Size), (record.Offset, record.Value!.Value.Length));
            if (count++ == at) memory = GC.GetTotalMemory(forceFullCollection: true);
        }
        Assert.Equal(Count, count);
        return memory;
    }

    static byte[] Key(int i) => Encoding.UTF8.GetBytes($"key {i}");

    static byte[] Noise(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    static byte[] Bomb(Compression compression)
    {
        var builder = new RecordBatchBuilder();
        for (var i = 0; i < Count; i++) builder.Add(Batches.Time, Key(i), new byte[Size]);
        return Packed(builder, compression);
    }

    static byte[] Packed(RecordBatchBuilder builder, Compression compression)
    {
        var plain = builder.Build();
        var output = new ByteWriter(4096);
        output.Raw(plain.Span[..RecordBatch.HeaderSize]);
        Compressor.Pack(new(compression, compression == Compression.Gzip ? 6 : 3), plain[RecordBatch.HeaderSize..], output);
        var batch = output.Written.ToArray();
        batch[RecordBatch.AttributesAt + 1] |= (byte)compression;
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(RecordBatch.LengthAt), batch.Length - RecordBatch.LengthOverhead);
        RecordBatch.Seal(batch);
        return batch;
    }
}
