using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Transactions;

namespace IotGateway.Broker.Tests.Server;

/// <summary>Timeouts of transactions while the machine's clock is set.</summary>
public sealed class TransactionClockTests
{
    static readonly TransactionOptions Often = new() { TimeoutCheckInterval = TimeSpan.FromMilliseconds(20), IdExpirationCheckInterval = TimeSpan.Zero };
    readonly SetClock _clock = new();

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    [InlineData(3650)]
    public async Task A_clock_that_is_set_neither_ends_a_transaction_nor_keeps_one_open_nor_forgets_an_id(int days)
    {
        await using var broker = await TestBroker.StartAsync(new() { Transactions = Often }, time: _clock);
        await broker.CreateAsync("t");
        await using var client = await broker.ConnectAsync();
        await InitAsync(client, "idle", 60_000);
        var live = await OpenAsync(client, "live", 60_000);
        var before = broker.Server.Broker.Transactions.Find("live")!.StartTime;
        _clock.Set(TimeSpan.FromDays(days));
        // One whose timeout passes is ended, in the same look that finds the other alive.
        await OpenAsync(client, "short", 300);
        await UntilAsync(() => broker.Server.Broker.Transactions.Find("short")!.State == TransactionState.CompleteAbort);
        Assert.Equal(TransactionState.Ongoing, broker.Server.Broker.Transactions.Find("live")!.State);
        Assert.NotNull(broker.Server.Broker.Transactions.Find("idle"));
        // People are told the machine's time.
        var told = (await client.CallAsync<DescribeTransactionsRequest, DescribeTransactionsResponse>(new() { TransactionalIds = ["live"] }, 0)).TransactionStates[0].TransactionStartTimeMs;
        Assert.InRange(told - before, TimeSpan.FromDays(days).TotalMilliseconds - 5_000, TimeSpan.FromDays(days).TotalMilliseconds + 5_000);
        var ended = await client.CallAsync<EndTxnRequest, EndTxnResponse>(new() { TransactionalId = "live", ProducerId = live.ProducerId, ProducerEpoch = live.ProducerEpoch, Committed = true }, 4);
        Assert.Equal(KafkaError.None, (KafkaError)ended.ErrorCode);
    }

    [Fact]
    public async Task After_a_restart_with_the_clock_set_back_a_timeout_still_passes()
    {
        string directory;
        await using (var broker = await TestBroker.StartAsync(keep: true, time: _clock))
        {
            directory = broker.Directory;
            await broker.CreateAsync("t");
            await using var client = await broker.ConnectAsync();
            await OpenAsync(client, "short", 2_500);
        }
        _clock.Set(TimeSpan.FromDays(-1));
        await using (var broker = await TestBroker.StartAsync(new() { Transactions = Often }, directory, time: _clock))
            await UntilAsync(() => broker.Server.Broker.Transactions.Find("short")!.State == TransactionState.CompleteAbort);
    }

    static async Task<InitProducerIdResponse> OpenAsync(RawClient client, string id, int timeout)
    {
        var producer = await InitAsync(client, id, timeout);
        var added = await client.CallAsync<AddPartitionsToTxnRequest, AddPartitionsToTxnResponse>(new()
        {
            V3AndBelowTransactionalId = id, V3AndBelowProducerId = producer.ProducerId, V3AndBelowProducerEpoch = producer.ProducerEpoch, V3AndBelowTopics = [new() { Name = "t", Partitions = [0] }],
        }, 0);
        Assert.Equal(0, added.ResultsByTopicV3AndBelow[0].ResultsByPartition[0].PartitionErrorCode);
        return producer;
    }

    static async Task<InitProducerIdResponse> InitAsync(RawClient client, string id, int timeout)
    {
        var producer = await client.CallAsync<InitProducerIdRequest, InitProducerIdResponse>(new() { TransactionalId = id, TransactionTimeoutMs = timeout, ProducerId = -1, ProducerEpoch = -1 }, 4);
        Assert.Equal(KafkaError.None, (KafkaError)producer.ErrorCode);
        return producer;
    }

    static async Task UntilAsync(Func<bool> done)
    {
        var began = TimeProvider.System.GetTimestamp();
        using var looks = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!done())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromSeconds(30), "It did not happen.");
            await looks.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }
}
