using System.Text;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Tests.Server;

public sealed class ConnectionTests
{
    [Fact]
    public async Task Answers_an_unknown_version_of_ApiVersions_in_version_0()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        using var writer = new KafkaWriter();
        writer.WriteInt32(0);
        new RequestHeader(ApiKey.ApiVersions, 99, 7, "new").Write(writer, true);
        writer.PatchInt32(0, (int)writer.Length - 4);
        await client.SendAsync(writer.ToArray());
        var response = await client.ReceiveAsync<ApiVersionsResponse>(0);
        Assert.Equal((short)KafkaError.UnsupportedVersion, response.ErrorCode);
        var own = Assert.Single(response.ApiKeys);
        Assert.Equal((18, 0, 4), (own.ApiKey, own.MinVersion, own.MaxVersion));
    }

    [Theory, InlineData(0), InlineData(1), InlineData(2), InlineData(3), InlineData(4)]
    public async Task Tells_its_apis_in_every_version(short version)
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        var response = await client.CallAsync<ApiVersionsRequest, ApiVersionsResponse>(new() { ClientSoftwareName = "test", ClientSoftwareVersion = "1.0" }, version);
        Assert.Equal(0, response.ErrorCode);
        var produce = response.ApiKeys.Single(a => a.ApiKey == 0);
        Assert.Equal((0, 13), (produce.MinVersion, produce.MaxVersion));
        Assert.DoesNotContain(response.ApiKeys, a => a.ApiKey is 71 or 72);
        Assert.DoesNotContain(response.SupportedFeatures, f => version < 4 && f.MinVersion == 0);
    }

    [Theory, InlineData("", "1"), InlineData("-a", "1"), InlineData("a b", "1"), InlineData("a", "1-")]
    public async Task Refuses_a_bad_client_name(string name, string clientVersion)
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        var response = await client.CallAsync<ApiVersionsRequest, ApiVersionsResponse>(new() { ClientSoftwareName = name, ClientSoftwareVersion = clientVersion }, 3);
        Assert.Equal((short)KafkaError.InvalidRequest, response.ErrorCode);
    }

    [Theory]
    [InlineData("00000000", "A frame of 0 bytes")]
    [InlineData("7fffffff", "A frame of 2147483647 bytes")]
    [InlineData("ffffffff", "A frame of -1 bytes")]
    [InlineData("16030100", "speaks TLS")]
    [InlineData("47455420", "speaks HTTP")]
    [InlineData("0000000a000300630000000100010203", "asks for Metadata version 99")]
    [InlineData("0000000a006300000000000100010203", "asks for API 99 version 0")]
    [InlineData("0000000a000000020000000100010203", "asks for Produce version 2")]
    [InlineData("0000000e00030001000000010000" + "7fffffff", "An array of 2147483647 elements")]
    public async Task Closes_on_nonsense_with_one_log_line_and_serves_the_others(string hex, string problem)
    {
        await using var broker = await TestBroker.StartAsync();
        await using var other = await broker.ConnectAsync();
        for (var i = 0; i < 3; i++)
        {
            await using var client = await broker.ConnectAsync();
            await client.SendAsync(Convert.FromHexString(hex));
            Assert.Null(await client.ReceiveAsync());
        }
        Assert.Equal(3, broker.Meters["iotgateway.broker.errors/protocol"]);
        Assert.Single(broker.Logger.Lines, l => l.Text.Contains(problem, StringComparison.Ordinal));
        Assert.Equal(broker.Store.Topics.Count, (await other.CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = null }, 9)).Topics.Count);
    }

    [Fact]
    public async Task Takes_a_frame_byte_by_byte()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        foreach (var one in client.Frame(new MetadataRequest { Topics = null }, 9)) await client.SendAsync(new[] { one });
        Assert.Single((await client.ReceiveAsync<MetadataResponse>(9)).Brokers);
    }

    [Fact]
    public async Task Answers_pipelined_requests_in_order_and_appends_in_order_of_arrival()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t");
        await using var client = await broker.ConnectAsync();
        var frames = new MemoryStream();
        for (var i = 0; i < 200; i++) frames.Write(client.Frame(Requests.Produce("t", Batches.Of($"v{i}")), 9));
        frames.Write(client.Frame(Requests.Fetch("t", 0, maxBytes: 1 << 24), 11));
        await client.SendAsync(frames.ToArray());
        for (var i = 0; i < 200; i++)
            Assert.Equal(i, (await client.ReceiveAsync<ProduceResponse>(9)).Responses[0].PartitionResponses[0].BaseOffset);
        var fetched = (await client.ReceiveAsync<FetchResponse>(11)).Responses[0].Partitions[0];
        Assert.Equal(200, fetched.HighWatermark);
        var text = Encoding.Latin1.GetString(fetched.Records!.Value.Span);
        var places = Enumerable.Range(0, 200).Select(i => text.IndexOf($"v{i}\0", StringComparison.Ordinal)).ToList();
        Assert.DoesNotContain(-1, places);
        Assert.Equal(places.Order(), places);
    }

    [Fact]
    public async Task Gives_no_answer_to_acks_0_and_closes_when_it_fails()
    {
        await using var broker = await TestBroker.StartAsync();
        var topic = await broker.CreateAsync("t");
        await using var client = await broker.ConnectAsync();
        await client.SendAsync(Requests.Produce("t", Batches.Of("a"), acks: 0), 9);
        Assert.Equal(1, (await client.ProduceAsync("t", Batches.Of("b"))).BaseOffset);
        await client.SendAsync(Requests.Produce("none", Batches.Of("a"), acks: 0), 9);
        Assert.Null(await client.ReceiveAsync());
        Assert.Equal(2, topic.Partitions[0].HighWatermark);
    }

    [Fact]
    public async Task What_was_sent_before_the_client_closed_its_side_is_taken_and_answered()
    {
        await using var broker = await TestBroker.StartAsync();
        var topic = await broker.CreateAsync("t");
        for (var round = 0; round < 20; round++)
        {
            await using var client = await broker.ConnectAsync();
            var frames = new MemoryStream();
            for (var i = 0; i < 50; i++) frames.Write(client.Frame(Requests.Produce("t", Batches.Of("a"), acks: 0), 9));
            for (var i = 0; i < 5; i++) frames.Write(client.Frame(new MetadataRequest { Topics = null }, 9));
            await client.SendAsync(frames.ToArray());
            client.EndSending();
            for (var i = 0; i < 5; i++) await client.ReceiveAsync<MetadataResponse>(9);
            Assert.Null(await client.ReceiveAsync());
            Assert.Equal((round + 1) * 50, topic.Partitions[0].HighWatermark);
        }
    }

    [Fact]
    public async Task Closes_a_connection_that_stops_in_the_middle_of_a_frame_and_gives_its_memory_back()
    {
        // The cap is the whole budget: while the first one holds it, nobody else is read.
        await using var broker = await TestBroker.StartAsync(new() { FrameTimeout = TimeSpan.FromMilliseconds(100), MaxFrameBytes = 1000, MemoryBudgetBytes = 1000 });
        await using var stuck = await broker.ConnectAsync();
        await stuck.SendAsync(new byte[] { 0, 0, 3, 232, 0, 3 });
        Assert.Null(await stuck.ReceiveAsync());
        await using var other = await broker.ConnectAsync();
        await other.CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = null }, 9);
    }

    [Fact]
    public async Task Closes_an_idle_connection_but_not_one_that_waits_for_its_answer()
    {
        await using var broker = await TestBroker.StartAsync(new() { IdleTimeout = TimeSpan.FromMilliseconds(100) });
        await broker.CreateAsync("t");
        await using var waiting = await broker.ConnectAsync();
        await waiting.SendAsync(Requests.Fetch("t", 0, maxWait: 3000), 11);
        await using var idle = await broker.ConnectAsync();
        Assert.Null(await idle.ReceiveAsync());
        Assert.Single((await waiting.ReceiveAsync<FetchResponse>(11)).Responses);
    }

    [Fact]
    public async Task Turns_connections_away_when_there_are_too_many()
    {
        await using var broker = await TestBroker.StartAsync(new() { MaxConnections = 1 });
        await using var first = await broker.ConnectAsync();
        await first.CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = null }, 9);
        await using var second = await broker.ConnectAsync();
        Assert.Null(await second.ReceiveAsync());
        await first.CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = null }, 9);
        Assert.Equal(1, broker.Meters["iotgateway.broker.errors/connections"]);
        Assert.Equal(1, broker.Meters["iotgateway.broker.connections/PLAINTEXT"]);
    }

    [Fact]
    public async Task A_taken_port_is_named_with_the_setting_to_change()
    {
        await using var broker = await TestBroker.StartAsync();
        var options = new BrokerOptions { Listeners = [new() { Endpoint = broker.Server.Endpoints[0] }] };
        var taken = await Assert.ThrowsAsync<ListenerInUseException>(() => BrokerServer.StartAsync(options, broker.Store, new ListLogger(), TimeProvider.System, null, TestContext.Current.CancellationToken));
        Assert.Contains("broker.listen", taken.Message, StringComparison.Ordinal);
    }
}
