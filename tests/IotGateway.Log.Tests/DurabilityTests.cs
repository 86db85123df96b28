using IotGateway.Log.Tests.Disk;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Tests;

/// <summary>Rules 1 to 3 while a sync takes its time: what nobody may see before it has ended, and what need not wait for it.</summary>
public sealed class DurabilityTests
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Nobody_sees_a_record_nor_state_nor_a_topic_before_its_frame_is_synced_but_what_need_not_wait_is_there_at_once()
    {
        var disk = new SimulatedDisk();
        using var held = new HeldSyncs(disk);
        await using var log = await LogStore.OpenAsync(new() { Directory = "/data", WalBytes = 512 << 10 }, NullLogger.Instance, new ManualTime(), held, default);
        try
        {
            var safe = (await log.CreateTopicAsync("safe", 1, new(), default)).Partitions[0];
            var relaxed = (await log.CreateTopicAsync("relaxed", 1, new() { Settings = new Dictionary<string, string> { ["iotgateway.durability"] = "os" } }, default)).Partitions[0];
            await Append(log, safe, "before");
            var exposed = new Watcher();
            relaxed.Watch(exposed);
            var acknowledged = new LogUnit();
            acknowledged.Append(safe, Batches.At(Batches.Time + 1, "waits"));
            acknowledged.Append(relaxed, Batches.Of("does not"));
            acknowledged.Put("positions", new byte[1], new byte[1]);
            held.Hold();
            var commit = log.CommitAsync(acknowledged, default).AsTask();
            await exposed.Advance.WaitAsync(Patience); // by then whoever shows anything too early has done so
            var created = log.CreateTopicAsync("late", 1, new(), default).AsTask();

            Assert.Equal((1, 1), (safe.HighWatermark, safe.LastStableOffset));
            Assert.True((await safe.ReadAsync(1, 1000, default)).Batches.IsEmpty);
            Assert.Equal(["before"], await safe.ValuesAsync());
            Assert.Null(await safe.FindByTimeAsync(Batches.Time + 1, default));
            Assert.Equal(0, (await safe.FindMaxTimestampAsync(default))!.Value.Offset);
            await Assert.ThrowsAsync<OffsetOutOfRangeException>(async () => await safe.ReadAsync(2, 1000, default));
            Assert.Null(log.Get("positions", new byte[1]));
            Assert.Null(log.Find("late"));
            await Task.WhenAny(commit, created, Task.Delay(50, TestContext.Current.CancellationToken)); // whoever is answered too early is so soon
            Assert.False(commit.IsCompleted || created.IsCompleted);
            // Of durability "os" the end of the log is what may be read: from memory, for the segment is written behind the frame's sync.
            Assert.Equal((1, 1), (relaxed.HighWatermark, relaxed.LastStableOffset));
            Assert.Equal(["does not"], await relaxed.ValuesAsync());
            Assert.False(disk.Has("/data/relaxed-0/00000000000000000000.log"));

            held.Release();
            await commit.WaitAsync(Patience);
            await created.WaitAsync(Patience);
            Assert.Equal(["before", "waits"], await safe.ValuesAsync());
            Assert.NotNull(log.Get("positions", new byte[1]));
            Assert.True(disk.Has("/data/relaxed-0/00000000000000000000.log"));
        }
        finally
        {
            held.Release();
        }
    }

    [Fact]
    public async Task A_disk_that_does_not_answer_is_seen_while_it_does_not()
    {
        var time = new ManualTime();
        using var held = new HeldSyncs(new SimulatedDisk());
        await using var log = await LogStore.OpenAsync(new() { Directory = "/data", WalBytes = 512 << 10 }, NullLogger.Instance, time, held, default);
        try
        {
            var partition = (await log.CreateTopicAsync("t", 1, new(), default)).Partitions[0];
            await Append(log, partition, "before");
            time.Advance(TimeSpan.FromSeconds(60)); // which it is at rest; a moment after the answer at the latest
            Assert.True(SpinWait.SpinUntil(() => log.Figures.CommitUnderWay == TimeSpan.Zero, Patience));
            held.Hold();
            var commit = Append(log, partition, "waits");
            await held.Waiting.WaitAsync(Patience);
            time.Advance(TimeSpan.FromSeconds(62));
            Assert.Equal(TimeSpan.FromSeconds(62), log.Figures.CommitUnderWay);
            Assert.False(commit.IsCompleted);
            held.Release();
            await commit.WaitAsync(Patience);
            Assert.True(SpinWait.SpinUntil(() => log.Figures.CommitUnderWay == TimeSpan.Zero, Patience));
        }
        finally
        {
            held.Release();
        }
    }

    /// <summary>Its records need not be synced, the end of their transaction and who sent them must be.</summary>
    [Theory, InlineData(true), InlineData(false)]
    public async Task The_end_of_a_transaction_and_the_origin_of_a_record_are_on_the_disk_before_they_are_answered_whatever_the_topic_says(bool end)
    {
        var disk = new SimulatedDisk();
        using var held = new HeldSyncs(disk);
        await using var log = await LogStore.OpenAsync(new() { Directory = "/data", WalBytes = 512 << 10 }, NullLogger.Instance, new ManualTime(), held, default);
        try
        {
            var partition = (await log.CreateTopicAsync("t", 1, new() { Settings = new Dictionary<string, string> { ["iotgateway.durability"] = "os" } }, default)).Partitions[0];
            var unit = new LogUnit();
            unit.Append(partition, Batches.Transactional(1, 0, 0, "a"));
            await log.CommitAsync(unit, default);
            var syncs = log.Figures.Syncs;
            unit = new LogUnit();
            if (end) unit.EndTransaction(1, 0, commit: true, [partition]);
            else unit.AppendReceived(partition, Batches.Of("from somebody"), "User:x");
            held.Hold();
            var commit = log.CommitAsync(unit, default).AsTask();
            await Task.WhenAny(commit, Task.Delay(100, TestContext.Current.CancellationToken));
            Assert.False(commit.IsCompleted);
            held.Release();
            await commit.WaitAsync(Patience);
            Assert.Equal(syncs + 1, log.Figures.Syncs);
            for (var seed = 0; seed < 10; seed++)
            {
                await using var after = await LogStore.OpenAsync(new() { Directory = "/data", WalBytes = 512 << 10 }, NullLogger.Instance, new ManualTime(), disk.Crash(new Random(seed)), default);
                partition = after.Find("t")!.Partitions[0];
                Assert.Equal((2, end ? 2 : 0, end ? null : "User:x"), (partition.HighWatermark, partition.LastStableOffset, partition.OriginOf(1)));
            }
        }
        finally
        {
            held.Release();
        }
    }

    static async Task Append(LogStore log, Partition partition, string value)
    {
        var unit = new LogUnit();
        unit.Append(partition, Batches.Of(value));
        Assert.Equal(AppendError.None, (await log.CommitAsync(unit, default))[0].Error);
    }

    sealed class Watcher : IPartitionWatcher
    {
        readonly TaskCompletionSource _advance = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Advance => _advance.Task;

        public void Advanced(Partition partition, int bytes) => _advance.TrySetResult();
    }
}
