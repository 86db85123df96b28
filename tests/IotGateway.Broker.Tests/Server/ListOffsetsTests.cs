using IotGateway.Broker.Protocol.Messages;
using IotGateway.Log.Backup;
using IotGateway.Log.Records;

namespace IotGateway.Broker.Tests.Server;

/// <summary>Where ListOffsets says that a partition starts, and which record is the latest, once parts of it are gone.</summary>
public sealed class ListOffsetsTests
{
    const long Earliest = -2, MaxTimestamp = -3, EarliestLocal = -4;

    [Theory, InlineData(true, true), InlineData(true, false), InlineData(false, true), InlineData(false, false)]
    public async Task The_greatest_timestamp_is_that_of_a_record_that_is_still_there(bool oneBatch, bool restarted)
    {
        var directory = Directory.CreateTempSubdirectory("broker").FullName;
        await using (var first = await TestBroker.StartAsync(directory: directory, keep: restarted))
        {
            var topic = await first.CreateAsync("t");
            await using var client = await first.ConnectAsync();
            long[][] batches = oneBatch ? [[100, 50]] : [[100], [50]];
            foreach (var times in batches) Assert.Equal(0, (await client.ProduceAsync("t", At(times))).ErrorCode);
            Assert.Equal((0, 100), await AskAsync(client));
            await topic.Partitions[0].DeleteRecordsAsync(1, TestContext.Current.CancellationToken);
            Assert.Equal((1, 50), await AskAsync(client));
        }
        if (!restarted) return;
        await using var second = await TestBroker.StartAsync(directory: directory);
        await using var again = await second.ConnectAsync();
        Assert.Equal((1, 50), await AskAsync(again)); // from the segment
        await second.Store.Find("t")!.Partitions[0].DeleteRecordsAsync(-1, TestContext.Current.CancellationToken);
        Assert.Equal((-1, -1), await AskAsync(again));

        static async Task<(long, long)> AskAsync(RawClient client)
        {
            var answer = await client.AskAsync(MaxTimestamp);
            return (answer.Offset, answer.Timestamp);
        }
    }

    [Fact]
    public async Task The_greatest_timestamp_is_not_that_of_a_transactions_marker()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t");
        await using var client = await broker.ConnectAsync();
        var producer = await client.CallAsync<InitProducerIdRequest, InitProducerIdResponse>(new() { TransactionalId = "x", TransactionTimeoutMs = 60_000, ProducerId = -1, ProducerEpoch = -1 }, 5);
        var builder = new RecordBatchBuilder { ProducerId = producer.ProducerId, ProducerEpoch = producer.ProducerEpoch, BaseSequence = 0 };
        builder.Add(70, default, "v"u8, hasKey: false);
        var batch = builder.Build().ToArray();
        Batches.MakeTransactional(batch);
        var request = Requests.Produce("t", batch);
        request.TransactionalId = "x";
        Assert.Equal(0, (await client.CallAsync<ProduceRequest, ProduceResponse>(request, 12)).Responses[0].PartitionResponses[0].ErrorCode);
        Assert.Equal(0, (await client.CallAsync<EndTxnRequest, EndTxnResponse>(new() { TransactionalId = "x", ProducerId = producer.ProducerId, ProducerEpoch = producer.ProducerEpoch, Committed = true }, 5)).ErrorCode);
        var answer = await client.AskAsync(MaxTimestamp);
        Assert.Equal((0, 70), (answer.Offset, answer.Timestamp));
    }

    [Theory, InlineData(Earliest), InlineData(EarliestLocal)]
    public async Task The_start_has_the_epoch_in_which_it_was_written(long start)
    {
        var ct = TestContext.Current.CancellationToken;
        var (backup, directory) = (Path.Combine(Directory.CreateTempSubdirectory("backup").FullName, "b"), Path.Combine(Directory.CreateTempSubdirectory("broker").FullName, "b"));
        await using (var first = await TestBroker.StartAsync())
        {
            await first.CreateAsync("t");
            await using var client = await first.ConnectAsync();
            await client.ProduceAsync("t", Batches.Of("a", "b"));
            await first.Store.BackupAsync(backup, ct);
        }
        await LogBackup.RestoreAsync(backup, directory, ct); // begins a new epoch
        await using var second = await TestBroker.StartAsync(directory: directory);
        await using var again = await second.ConnectAsync();
        await again.ProduceAsync("t", Batches.Of("c"));
        Assert.Equal((0, 0), await AskAsync());
        var partition = second.Store.Find("t")!.Partitions[0];
        Assert.Equal((1, 3), (partition.LeaderEpoch, partition.HighWatermark));
        await partition.DeleteRecordsAsync(1, ct);
        Assert.Equal((1, 0), await AskAsync());
        await partition.DeleteRecordsAsync(2, ct);
        Assert.Equal((2, 1), await AskAsync());
        await partition.DeleteRecordsAsync(3, ct);
        Assert.Equal((3, 1), await AskAsync());
        Directory.Delete(Path.GetDirectoryName(backup)!, recursive: true);

        async Task<(long, int)> AskAsync()
        {
            var answer = await again.AskAsync(start);
            return (answer.Offset, answer.LeaderEpoch);
        }
    }

    static byte[] At(long[] times)
    {
        var builder = new RecordBatchBuilder();
        foreach (var time in times) builder.Add(time, default, "v"u8, hasKey: false);
        return builder.Build().ToArray();
    }
}
