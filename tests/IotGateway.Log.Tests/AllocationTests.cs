using System.Buffers;
using System.Globalization;
using IotGateway.Log.Records;

namespace IotGateway.Log.Tests;

/// <summary>The way of connectors and sinks into the log and out of it: what it allocates does not depend on how many records a batch has.</summary>
public sealed class AllocationTests : IDisposable
{
    const int Few = 10, Many = 1000;
    readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Handing_a_batch_to_the_log_allocates_nothing_per_record()
    {
        await using var log = await _directory.OpenAsync();
        var topic = await log.CreateTopicAsync("plant", 1, new(), default);
        var unit = new LogUnit();
        async Task<long> CostAsync(byte[] batch)
        {
            unit.Clear();
            unit.Append(topic.Partitions[0], batch);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var commit = log.CommitAsync(unit, default);
            var used = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.Equal(AppendError.None, (await commit)[0].Error);
            return used;
        }
        var (few, many) = (long.MaxValue, long.MaxValue);
        // A collection in between charges the rest of a thread's allocation area to it: the best of some rounds is the code's own.
        for (var round = 0; round < 10; round++)
        {
            few = Math.Min(few, await CostAsync(Batch(Few)));
            many = Math.Min(many, await CostAsync(Batch(Many)));
        }
        Assert.True(few > 0, "nothing was measured");
        Assert.Equal(few, many);
    }

    [Fact]
    public async Task Reading_and_walking_the_records_allocates_nothing_per_record()
    {
        await using var log = await _directory.OpenAsync();
        var topic = await log.CreateTopicAsync("plant", 2, new(), default);
        var unit = new LogUnit();
        unit.Append(topic.Partitions[0], Batch(Few));
        unit.Append(topic.Partitions[1], Batch(Many));
        await log.CommitAsync(unit, default);
        var pool = new OneArray();
        long Cost(Partition partition, int records) => Enumerable.Range(0, 10).Min(_ =>
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var slice = partition.ReadAsync(0, OneArray.Size, pool, default);
            Assert.True(slice.IsCompletedSuccessfully);
            var (count, bytes) = (0, 0);
            foreach (var record in new RecordReader(slice.Result.Batches)) (count, bytes) = (count + 1, bytes + record.Value!.Value.Length);
            var used = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.Equal((records, records * 100), (count, bytes));
            return used;
        });
        Assert.Equal(Cost(topic.Partitions[0], Few), Cost(topic.Partitions[1], Many));
    }

    static byte[] Batch(int records) => Batches.Of([.. Enumerable.Range(0, records).Select(i => i.ToString(CultureInfo.InvariantCulture).PadRight(100))]);

    sealed class OneArray : ArrayPool<byte>
    {
        public const int Size = 1 << 20;
        readonly byte[] _array = new byte[Size];

        public override byte[] Rent(int minimumLength) => _array;

        public override void Return(byte[] array, bool clearArray = false)
        {
        }
    }
}
