using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Tests.Server;

/// <summary>Rules 13 and 14: requests of one connection that are under way together, what an answer means, and who waits for whom. Their order is <see cref="ConnectionTests"/>'.</summary>
public sealed class InFlightTests
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Requests_of_one_connection_share_syncs()
    {
        const int requests = 200;
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t");
        await using var client = await broker.ConnectAsync();
        var frames = new MemoryStream();
        for (var i = 0; i < requests; i++) frames.Write(client.Frame(Requests.Produce("t", Batches.Of($"v{i}")), 9));
        var before = broker.Store.Figures.Syncs;
        await client.SendAsync(frames.ToArray());
        for (var i = 0; i < requests; i++) await client.ReceiveAsync<ProduceResponse>(9);
        // One at a time, each would have one of its own. How many share one depends on the disk.
        Assert.InRange(broker.Store.Figures.Syncs - before, 1, requests - 1);
    }

    [Theory, InlineData(1), InlineData(-1)]
    public async Task An_answer_to_acks_1_is_one_to_all_the_record_is_durable(short acks)
    {
        await using var broker = await TestBroker.StartAsync();
        var partition = (await broker.CreateAsync("t")).Partitions[0];
        await using var client = await broker.ConnectAsync();
        for (var i = 0; i < 30; i++)
        {
            var before = broker.Store.Figures.Syncs;
            var answer = await client.CallAsync<ProduceRequest, ProduceResponse>(Requests.Produce("t", Batches.Of("a"), acks), 9);
            Assert.Equal(i, answer.Responses[0].PartitionResponses[0].BaseOffset);
            Assert.True(partition.HighWatermark > i && broker.Store.Figures.Syncs > before, $"Record {i} was answered before it was synced.");
        }
    }

    [Fact]
    public async Task The_memory_of_a_frame_is_claimed_before_it_is_read_and_others_wait_for_it()
    {
        await using var broker = await TestBroker.StartAsync(new() { FrameTimeout = TimeSpan.FromMinutes(1), MaxFrameBytes = 1000, MemoryBudgetBytes = 1000 });
        var other = await broker.ConnectAsync();
        await using (other)
        {
            await using (var announcing = await broker.ConnectAsync())
            {
                await announcing.SendAsync(new byte[] { 0, 0, 3, 232 }); // 1000 bytes, of which none follows
                await WaitAsync(() => broker.Server.Broker.Budget.Claimed == 1000);
                await other.SendAsync(new MetadataRequest { Topics = null }, 9);
                await WaitAsync(() => broker.Server.Broker.Budget.Contended);
            }
            Assert.Single((await other.ReceiveAsync<MetadataResponse>(9)).Brokers);
        }
        await WaitAsync(() => broker.Server.Broker.Budget.Claimed == 0);
    }

    [Fact]
    public async Task A_full_log_is_told_by_a_code_after_which_producers_try_again_and_takes_records_when_it_has_space()
    {
        await using var broker = await TestBroker.StartAsync(log: o => o with { BudgetBytes = 1 << 20 });
        var partition = (await broker.CreateAsync("t")).Partitions[0];
        var position = 0L;
        broker.Store.Pins = [new("cloud", TimeSpan.FromDays(7), p => p == partition ? position : null)];
        await using var client = await broker.ConnectAsync();
        var batch = Batches.Of(new string('x', 100_000));
        var answer = await client.ProduceAsync("t", batch);
        for (var i = 0; i < 1000 && answer.ErrorCode == 0; i++) answer = await client.ProduceAsync("t", batch);
        Assert.Equal((short)KafkaError.KafkaStorageError, answer.ErrorCode);
        var end = partition.HighWatermark;
        Assert.Equal((short)KafkaError.KafkaStorageError, (await client.ProduceAsync("t", batch)).ErrorCode);
        Assert.Equal(end, partition.HighWatermark);
        position = end; // delivered
        broker.Store.Pins = [.. broker.Store.Pins!];
        await WaitAsync(() => broker.Store.Accepting);
        Assert.Equal(0, (await client.ProduceAsync("t", batch)).ErrorCode);
    }

    static async Task WaitAsync(Func<bool> condition)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!condition() && TimeProvider.System.GetElapsedTime(started) < Patience) await Task.Delay(5, TestContext.Current.CancellationToken);
        Assert.True(condition(), "It never came.");
    }
}
