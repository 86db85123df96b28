using System.Security.Cryptography;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Server;

namespace IotGateway.Broker.Tests.Server;

/// <summary>Clients that hold on to memory: by sending slowly, by not reading, by connecting for nothing.</summary>
public sealed class DawdlerTests
{
    const int Most = 1 << 20;
    static readonly BrokerOptions Options = new() { FrameTimeout = TimeSpan.FromSeconds(30), IdleTimeout = TimeSpan.FromMinutes(10) };

    [Fact]
    public void A_frame_may_come_slowly_but_not_for_ever()
    {
        var clock = new ManualClock();
        var patience = new Patience(Options, clock);
        patience.FrameStarts(Most); // 64 s at 16 KiB/s, and 30 s
        for (var second = 0; second < 94; second++)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            patience.Received();
            Assert.Null(patience.Ends(waiting: false, contended: false, full: false));
        }
        clock.Advance(TimeSpan.FromSeconds(1));
        patience.Received();
        Assert.Equal("The client sends a request too slowly.", patience.Ends(waiting: false, contended: false, full: false));
    }

    [Fact]
    public void While_others_wait_for_its_memory_a_slow_frame_has_less_time()
    {
        var clock = new ManualClock();
        var patience = new Patience(Options, clock);
        patience.FrameStarts(Most);
        clock.Advance(TimeSpan.FromSeconds(20));
        patience.Received();
        clock.Advance(TimeSpan.FromSeconds(11));
        Assert.Null(patience.Ends(waiting: false, contended: false, full: false));
        Assert.NotNull(patience.Ends(waiting: false, contended: true, full: false));
    }

    [Fact]
    public void An_answer_that_is_not_read_ends_the_connection_sooner_when_memory_is_short()
    {
        var clock = new ManualClock();
        var patience = new Patience(Options, clock);
        patience.FrameStarts(10);
        patience.FrameEnds();
        patience.SendStarts();
        clock.Advance(TimeSpan.FromSeconds(31));
        Assert.Null(patience.Ends(waiting: true, contended: false, full: false));
        Assert.NotNull(patience.Ends(waiting: true, contended: false, full: true));
        clock.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal("The client does not read its answer.", patience.Ends(waiting: true, contended: false, full: false));
        patience.Sent();
        Assert.Null(patience.Ends(waiting: true, contended: false, full: false));
    }

    [Fact]
    public async Task A_connection_that_asks_for_nothing_is_closed()
    {
        await using var broker = await TestBroker.StartAsync(new() { FrameTimeout = TimeSpan.FromMilliseconds(100) });
        await using var user = await broker.ConnectAsync();
        await user.CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = null }, 9);
        await using var dumb = await broker.ConnectAsync();
        Assert.Null(await dumb.ReceiveAsync());
        await user.CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = null }, 9);
    }

    [Fact]
    public async Task One_byte_at_a_time_does_not_hold_a_frames_memory_for_ever()
    {
        await using var broker = await TestBroker.StartAsync(new() { FrameTimeout = TimeSpan.FromMilliseconds(500) });
        await using var slow = await broker.ConnectAsync();
        await slow.SendAsync(new byte[] { 0, 0, 3, 232, 0, 3 });
        var closed = slow.ReceiveAsync();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        try
        {
            for (var i = 0; i < 900 && !closed.IsCompleted; i++)
            {
                await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
                await slow.SendAsync(new byte[1]);
            }
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            // closed while sending, or just before
        }
        Assert.Null(await closed);
    }

    [Fact]
    public async Task A_client_that_does_not_read_holds_one_answer_however_many_it_asked_for()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t");
        await using var other = await broker.ConnectAsync();
        for (var i = 0; i < 8; i++) Assert.Equal(0, (await other.ProduceAsync("t", Batches.Of(new string('x', 1_000_000)))).ErrorCode);
        await using var lazy = await broker.ConnectAsync();
        const int asked = 30;
        for (var i = 0; i < asked; i++) await lazy.SendAsync(Requests.Fetch("t", 0, maxBytes: 16 << 20), 11);
        for (var i = 0; i < 100; i++) await other.ProduceAsync("t", Batches.Of("tick"));
        for (var i = 0; i < asked; i++)
            Assert.InRange((await lazy.ReceiveAsync<FetchResponse>(11)).Responses[0].Partitions[0].Records!.Value.Length, 8_000_000, 16 << 20);
        Assert.InRange(broker.Meters.Peak("iotgateway.broker.unread/"), 8_000_000, 8_200_000);
    }

    [Fact]
    public async Task Garbage_of_any_kind_is_one_log_line_per_host()
    {
        await using var broker = await TestBroker.StartAsync();
        for (var i = 0; i < 20; i++)
        {
            await using var client = await broker.ConnectAsync();
            var garbage = RandomNumberGenerator.GetBytes(64);
            (garbage[0], garbage[1], garbage[2], garbage[3]) = i % 2 == 0 ? ((byte)0x7f, (byte)i, (byte)0, (byte)0) : ((byte)0, (byte)0, (byte)0, (byte)(60 - i));
            garbage[4] = 0x70; // no such API
            garbage[5] = (byte)i;
            await client.SendAsync(garbage);
            Assert.Null(await client.ReceiveAsync());
        }
        Assert.Equal(20, broker.Meters["iotgateway.broker.errors/protocol"]);
        Assert.Single(broker.Logger.Lines, l => l.Text.Contains("was disconnected", StringComparison.Ordinal));
    }
}
