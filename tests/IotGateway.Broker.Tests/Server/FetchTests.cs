using System.Diagnostics;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Tests.Server;

public sealed class FetchTests
{
    [Fact]
    public async Task Waits_for_records_and_comes_as_soon_as_they_do()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t");
        await using var reader = await broker.ConnectAsync();
        await using var writer = await broker.ConnectAsync();
        var fetched = reader.CallAsync<FetchRequest, FetchResponse>(Requests.Fetch("t", 0, maxWait: 60_000), 11);
        await writer.ProduceAsync("t", Batches.Of("a"));
        var partition = (await fetched).Responses[0].Partitions[0];
        Assert.Equal(1, partition.HighWatermark);
        Assert.NotEqual(0, partition.Records!.Value.Length);
    }

    [Fact]
    public async Task Comes_empty_when_the_time_is_over()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t");
        await using var reader = await broker.ConnectAsync();
        var started = Stopwatch.GetTimestamp();
        var response = await reader.CallAsync<FetchRequest, FetchResponse>(Requests.Fetch("t", 0, maxWait: 200), 11);
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalMilliseconds, 190, 5000);
        Assert.Equal(0, response.Responses[0].Partitions[0].Records!.Value.Length);
    }

    [Fact]
    public async Task Gives_the_first_batch_whole_above_every_limit_and_no_more()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t");
        await using var client = await broker.ConnectAsync();
        var batch = Batches.Of(new string('x', 5000));
        await client.ProduceAsync("t", batch);
        await client.ProduceAsync("t", batch);
        var response = await client.CallAsync<FetchRequest, FetchResponse>(Requests.Fetch("t", 0, maxBytes: 1), 11);
        Assert.Equal(batch.Length, response.Responses[0].Partitions[0].Records!.Value.Length);
    }

    [Theory, InlineData(5, (short)KafkaError.OffsetOutOfRange), InlineData(-1, (short)KafkaError.OffsetOutOfRange)]
    public async Task Refuses_an_offset_outside_of_the_log(long offset, short error)
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t");
        await using var client = await broker.ConnectAsync();
        var response = await client.CallAsync<FetchRequest, FetchResponse>(Requests.Fetch("t", offset, maxWait: 10_000), 11);
        Assert.Equal(error, response.Responses[0].Partitions[0].ErrorCode);
    }

    [Fact]
    public async Task A_session_tells_only_what_changed()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t");
        await broker.CreateAsync("u");
        await using var client = await broker.ConnectAsync();
        var first = Requests.Fetch("t", 0, epoch: 0);
        first.Topics.AddRange(Requests.Fetch("u", 0).Topics);
        var full = await client.CallAsync<FetchRequest, FetchResponse>(first, 12);
        Assert.NotEqual(0, full.SessionId);
        Assert.Equal(2, full.Responses.Count);

        var nothing = await client.CallAsync<FetchRequest, FetchResponse>(Next(full.SessionId, 1), 12);
        Assert.Empty(nothing.Responses);

        await client.ProduceAsync("u", Batches.Of("a"));
        var news = await client.CallAsync<FetchRequest, FetchResponse>(Next(full.SessionId, 2), 12);
        Assert.Equal("u", Assert.Single(news.Responses).Topic);

        // The client moves on in u and leaves t.
        var moved = Next(full.SessionId, 3);
        moved.Topics.AddRange(Requests.Fetch("u", 1).Topics);
        moved.ForgottenTopicsData.Add(new() { Topic = "t", Partitions = [0] });
        Assert.Empty((await client.CallAsync<FetchRequest, FetchResponse>(moved, 12)).Responses);
        await client.ProduceAsync("t", Batches.Of("a"));
        Assert.Empty((await client.CallAsync<FetchRequest, FetchResponse>(Next(full.SessionId, 4), 12)).Responses);

        Assert.Equal((short)KafkaError.InvalidFetchSessionEpoch, (await client.CallAsync<FetchRequest, FetchResponse>(Next(full.SessionId, 9), 12)).ErrorCode);
        var closed = await client.CallAsync<FetchRequest, FetchResponse>(Requests.Fetch("t", 0, sessionId: full.SessionId, epoch: -1), 12);
        Assert.Equal(0, closed.SessionId);
        Assert.Equal((short)KafkaError.FetchSessionIdNotFound, (await client.CallAsync<FetchRequest, FetchResponse>(Next(full.SessionId, 5), 12)).ErrorCode);
    }

    static FetchRequest Next(int session, int epoch) => new() { MaxWaitMs = 0, MinBytes = 1, SessionId = session, SessionEpoch = epoch };
}
