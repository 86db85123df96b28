using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Tests.Server;

public sealed class CompactedTopicTests
{
    [Fact]
    public async Task Takes_no_record_without_a_key_and_names_each_of_them()
    {
        await using var broker = await TestBroker.StartAsync();
        var topic = await broker.Store.CreateTopicAsync("t", 1, new() { Settings = new Dictionary<string, string> { ["cleanup.policy"] = "compact,delete" } },
            TestContext.Current.CancellationToken);
        await using var client = await broker.ConnectAsync();
        var refused = await client.ProduceAsync("t", Batches.Of("a", "b"));
        Assert.Equal((short)KafkaError.InvalidRecord, refused.ErrorCode);
        Assert.Equal([0, 1], refused.RecordErrors.Select(r => r.BatchIndex));
        Assert.Contains("key", refused.ErrorMessage, StringComparison.Ordinal);
        Assert.Equal(0, topic.Partitions[0].HighWatermark);

        await broker.Store.SetConfigAsync(topic.Id, new(), TestContext.Current.CancellationToken);
        Assert.Equal(0, (await client.ProduceAsync("t", Batches.Of("a", "b"))).ErrorCode);
    }

    [Fact]
    public async Task Refuses_what_it_cannot_read()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.Store.CreateTopicAsync("t", 1, new() { Settings = new Dictionary<string, string> { ["cleanup.policy"] = "compact" } },
            TestContext.Current.CancellationToken);
        await using var client = await broker.ConnectAsync();
        var batch = Batches.Of("a", "b");
        batch[61] ^= 0xff; // the first record's length
        Assert.Equal((short)KafkaError.CorruptMessage, (await client.ProduceAsync("t", batch)).ErrorCode);
        Assert.Equal((short)KafkaError.InvalidRecord, (await client.ProduceAsync("t", new byte[10])).ErrorCode);
    }

    [Theory, InlineData("compact", KafkaError.PolicyViolation, -1), InlineData("compact,delete", KafkaError.None, 1), InlineData("delete", KafkaError.None, 1)]
    public async Task Its_records_are_deleted_only_where_the_policy_says_so_as_well(string policy, object error, long start)
    {
        await using var broker = await TestBroker.StartAsync();
        var topic = await broker.CreateAsync("t");
        await using var client = await broker.ConnectAsync();
        await client.ProduceAsync("t", Batches.Of("a", "b"));
        await broker.Store.SetConfigAsync(topic.Id, new() { Settings = new Dictionary<string, string> { ["cleanup.policy"] = policy } }, TestContext.Current.CancellationToken);
        var answer = (await client.CallAsync<DeleteRecordsRequest, DeleteRecordsResponse>(new() { Topics = [new() { Name = "t", Partitions = [new() { Offset = 1 }] }] }, 2)).Topics[0].Partitions[0];
        Assert.Equal(((short)(KafkaError)error, start), (answer.ErrorCode, answer.LowWatermark));
        Assert.Equal(Math.Max(start, 0), topic.Partitions[0].LogStart);
    }
}
