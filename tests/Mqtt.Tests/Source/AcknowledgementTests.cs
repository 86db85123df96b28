using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Sdk;
using IotGateway.Testing;
using IotGateway.Tests.Mqtt.Brokers;

namespace IotGateway.Tests.Mqtt.Source;

/// <summary>Who is acknowledged when, and what comes twice is stored once. The scripted broker decides what is lost where.</summary>
public sealed class AcknowledgementTests
{
    static async Task<(SourceDriver Run, FakeConnection Connection)> StartAsync(FakeBroker broker, Gateway gateway, bool session = false, Func<SourceBatch, Task>? gate = null)
    {
        var run = gateway.Driver(gate);
        var starting = run.StartAsync();
        var connection = await broker.AcceptSubscriberAsync(session);
        await starting;
        return (run, connection);
    }

    [Fact]
    public async Task A_thousand_messages_are_taken_ahead_of_the_disk_and_acknowledged_in_order_when_it_is_done()
    {
        await using var broker = new FakeBroker();
        var gateway = new Gateway(broker.Address);
        var disk = new TaskCompletionSource();
        var (run, connection) = await StartAsync(broker, gateway, gate: _ => disk.Task);
        await connection.SendAsync([.. Enumerable.Range(1, 1_000).Select(i => FakeConnection.Message((ushort)i, $"{i}"))]);
        await connection.SilenceAsync();
        disk.SetResult();
        for (var i = 1; i <= 1_000; i++) Assert.Equal(i, await connection.AckAsync(PacketType.PubAck));
        Assert.Equal(Enumerable.Range(1, 1_000).Select(i => $"{i}"), gateway.Payloads);
        await run.CloseAsync();
    }

    [Fact]
    public async Task Nothing_is_acknowledged_once_closing_has_begun()
    {
        await using var broker = new FakeBroker();
        var gateway = new Gateway(broker.Address);
        var disk = new TaskCompletionSource();
        var (run, connection) = await StartAsync(broker, gateway, gate: _ => disk.Task);
        await connection.PublishAsync(1, "a");
        await run.CloseAsync();
        Assert.IsType<DisconnectPacket>(await connection.ReadAsync());
        Assert.Empty(gateway.Payloads);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)] // aedes sends again without DUP: an orderly close knows that no PUBACK left
    public async Task What_was_durable_and_not_acknowledged_is_not_stored_again(bool orderly, bool dup)
    {
        await using var broker = new FakeBroker();
        var gateway = new Gateway(broker.Address);
        var (run, connection) = await StartAsync(broker, gateway, gate: _ => Task.CompletedTask);
        await connection.PublishAsync(7, "acknowledged");
        Assert.Equal(7, await connection.AckAsync(PacketType.PubAck));
        await run.CloseAsync(CloseReason.Fault);

        // The next instance appends, but its process "dies" before OnDurable: the store has the data, the broker no PUBACK.
        var source = gateway.Create();
        var opening = source.OpenAsync(OpenMode.Run, TestContext.Current.CancellationToken).AsTask();
        var second = await broker.AcceptSubscriberAsync(session: true);
        await opening;
        await second.PublishAsync(8, "kept");
        await foreach (var batch in source.ReadAsync(TestContext.Current.CancellationToken))
        {
            gateway.Store.Append(batch);
            break;
        }
        if (orderly) await source.CloseAsync(CloseReason.Fault, TestContext.Current.CancellationToken);
        await source.DisposeAsync();

        var (third, again) = await StartAsync(broker, gateway, session: true);
        await again.PublishAsync(8, "kept", dup: dup);
        Assert.Equal(8, await again.AckAsync(PacketType.PubAck));
        Assert.Equal(["acknowledged", "kept"], gateway.Payloads);
        Assert.Equal(1, ((Connectors.Mqtt.MqttSource)third.Source).Redelivered);
        await third.CloseAsync();
    }

    [Theory]
    [InlineData(true, "same", 1)] // DUP and equal: the PUBACK was lost
    [InlineData(false, "same", 2)] // no DUP: the identifier was used again for an equal message
    [InlineData(true, "other", 2)] // DUP but another message
    [InlineData(false, "other", 2)]
    public async Task In_doubt_only_DUP_and_equal_content_count_as_the_same(bool dup, string payload, int stored)
    {
        await using var broker = new FakeBroker();
        var gateway = new Gateway(broker.Address);
        var (run, connection) = await StartAsync(broker, gateway);
        await connection.PublishAsync(7, "same");
        Assert.Equal(7, await connection.AckAsync(PacketType.PubAck));
        await run.KillAsync(); // before a PINGREQ behind the PUBACK was answered
        var (next, again) = await StartAsync(broker, gateway, session: true);
        await again.PublishAsync(7, payload, dup: dup);
        Assert.Equal(7, await again.AckAsync(PacketType.PubAck));
        Assert.Equal(stored, gateway.Payloads.Length);
        await next.CloseAsync();
    }

    [Fact]
    public async Task Doubt_ends_when_a_ping_behind_the_acknowledgement_is_answered()
    {
        await using var broker = new FakeBroker();
        var gateway = new Gateway(broker.Address);
        var (run, connection) = await StartAsync(broker, gateway);
        await connection.PublishAsync(7, "x");
        Assert.Equal(7, await connection.AckAsync(PacketType.PubAck));
        Assert.Contains(gateway.Store.State.Keys, k => k.StartsWith("q1/", StringComparison.Ordinal));
        Assert.IsType<PingPacket>(await connection.ReadAsync(answerPings: false));
        await connection.SendAsync(PingPacket.Response);
        await run.UntilAsync(s => !s.State.Keys.Any(k => k.StartsWith("q1/", StringComparison.Ordinal)), what: "the table is empty");
        await connection.PublishAsync(7, "x", dup: true); // now it can only be another message
        Assert.Equal(7, await connection.AckAsync(PacketType.PubAck));
        Assert.Equal(["x", "x"], gateway.Payloads);
        await run.CloseAsync();
    }

    [Fact]
    public async Task A_new_session_clears_the_table()
    {
        await using var broker = new FakeBroker();
        var gateway = new Gateway(broker.Address);
        var (run, connection) = await StartAsync(broker, gateway);
        await connection.PublishAsync(7, "x");
        await connection.AckAsync(PacketType.PubAck);
        await run.KillAsync();
        var (next, again) = await StartAsync(broker, gateway, session: false);
        Assert.DoesNotContain(gateway.Store.State.Keys, k => k.StartsWith("q1/", StringComparison.Ordinal));
        await again.PublishAsync(7, "x", dup: true);
        await again.AckAsync(PacketType.PubAck);
        Assert.Equal(2, gateway.Payloads.Length);
        await next.CloseAsync();
    }

    [Fact]
    public async Task The_same_message_twice_before_its_acknowledgement_is_stored_once()
    {
        await using var broker = new FakeBroker();
        var gateway = new Gateway(broker.Address);
        var (run, connection) = await StartAsync(broker, gateway);
        await connection.SendAsync(FakeConnection.Message(7, "x"), FakeConnection.Message(7, "x", dup: true), FakeConnection.Message(8, "y"));
        Assert.Equal(7, await connection.AckAsync(PacketType.PubAck));
        await run.UntilAsync(s => s.Records.Count == 2);
        Assert.Equal(["x", "y"], gateway.Payloads);
        await run.CloseAsync();
    }

    /// <summary>Exactly once at each point at which a QoS 2 exchange can be cut.</summary>
    [Theory]
    [InlineData(0)] // appended, PUBREC lost
    [InlineData(1)] // PUBREC sent, PUBREL never came
    [InlineData(2)] // PUBREL came, its release not durable
    [InlineData(3)] // released, PUBCOMP lost
    public async Task Quality_two_is_exactly_once_wherever_it_is_interrupted(int point)
    {
        await using var broker = new FakeBroker();
        var gateway = new Gateway(broker.Address);
        var held = new TaskCompletionSource();
        var (run, connection) = await StartAsync(broker, gateway);
        await connection.PublishAsync(9, "once", qos: 2);
        Assert.Equal(9, await connection.AckAsync(PacketType.PubRec));
        if (point >= 2)
        {
            if (point == 2) run.Gate = _ => held.Task;
            await connection.SendAsync(new AckPacket(PacketType.PubRel, 9));
            if (point == 2) await connection.SilenceAsync();
            else Assert.Equal(9, await connection.AckAsync(PacketType.PubComp));
        }
        await run.KillAsync();

        var (next, again) = await StartAsync(broker, gateway, session: true);
        if (point == 0)
        {
            await again.PublishAsync(9, "once", qos: 2, dup: true);
            Assert.Equal(9, await again.AckAsync(PacketType.PubRec));
        }
        await again.SendAsync(new AckPacket(PacketType.PubRel, 9));
        var complete = await again.ReadAsync<AckPacket>();
        Assert.Equal((PacketType.PubComp, (ushort)9, point == 3 ? ReasonCode.PacketIdNotFound : ReasonCode.Success), (complete.Type, complete.PacketId, complete.Reason));
        Assert.Equal(["once"], gateway.Payloads);
        Assert.DoesNotContain("q2/9", gateway.Store.State.Keys);
        await again.PublishAsync(9, "once", qos: 2); // the identifier is free again
        Assert.Equal(9, await again.AckAsync(PacketType.PubRec));
        Assert.Equal(["once", "once"], gateway.Payloads);
        await next.CloseAsync();
    }

    /// <summary>A broker that crashed and went back to an older state of the session: its identifiers come again for other messages.</summary>
    [Fact]
    public async Task At_quality_two_another_message_under_an_identifier_not_released_is_stored_too()
    {
        await using var broker = new FakeBroker();
        var gateway = new Gateway(broker.Address);
        var (run, connection) = await StartAsync(broker, gateway);
        await connection.PublishAsync(9, "first", qos: 2);
        Assert.Equal(9, await connection.AckAsync(PacketType.PubRec));
        await run.KillAsync();
        var (next, again) = await StartAsync(broker, gateway, session: true);
        await again.PublishAsync(9, "second", qos: 2);
        Assert.Equal(9, await again.AckAsync(PacketType.PubRec));
        await again.PublishAsync(9, "second", qos: 2, dup: true);
        Assert.Equal(9, await again.AckAsync(PacketType.PubRec));
        Assert.Equal(["first", "second"], gateway.Payloads);
        await again.SendAsync(new AckPacket(PacketType.PubRel, 9));
        Assert.Equal(9, await again.AckAsync(PacketType.PubComp));
        Assert.DoesNotContain("q2/9", gateway.Store.State.Keys);
        await next.CloseAsync();
    }

    [Fact]
    public async Task Quality_zero_is_dropped_and_counted_when_there_is_no_room()
    {
        await using var broker = new FakeBroker();
        var gateway = new Gateway(broker.Address);
        gateway.Config = gateway.Config with { ReceiveMaximum = 1 };
        var disk = new TaskCompletionSource();
        var (run, connection) = await StartAsync(broker, gateway, gate: _ => disk.Task);
        const int sent = 20_000;
        for (var i = 0; i < 20; i++) await connection.SendAsync([.. Enumerable.Repeat(FakeConnection.Message(0, "x", qos: 0), sent / 20)]);
        await connection.PublishAsync(1, "last");
        await connection.SilenceAsync(1_500);
        disk.SetResult();
        Assert.Equal(1, await connection.AckAsync(PacketType.PubAck));
        await run.UntilAsync(s => s.Gaps.Count > 0, what: "a gap");
        var source = (Connectors.Mqtt.MqttSource)run.Source;
        Assert.InRange(source.Dropped, 1, sent - 1);
        Assert.Equal(sent - source.Dropped + 1, gateway.Payloads.Length);
        Assert.Equal(source.Dropped, gateway.Store.Gaps.Sum(g => g.Lost));
        Assert.All(gateway.Store.Gaps, g => Assert.Equal("overflow", g.Reason));
        await run.CloseAsync();
    }

    /// <summary>A unit of the log is bounded: what arrives at once must not become one that is refused for ever.</summary>
    [Fact]
    public async Task Large_messages_and_messages_of_many_values_come_in_batches_of_bounded_size()
    {
        await using var broker = new FakeBroker();
        var gateway = new Gateway(broker.Address);
        gateway.Config = gateway.Config with
        {
            Subscriptions = [new() { Filter = "large" }, new() { Filter = "many", Format = Connectors.Mqtt.MqttFormat.Json, Readings = [new() { Path = "$[*]", Tag = "v" }] }],
        };
        var disk = new TaskCompletionSource();
        var (run, connection) = await StartAsync(broker, gateway, gate: _ => disk.Task);
        var (large, many) = (new string('x', 900_000), "[" + string.Join(',', Enumerable.Repeat("1", 9_000)) + "]");
        var sending = Task.Run(() => connection.SendAsync([.. Enumerable.Range(1, 60).Select(i => FakeConnection.Message((ushort)i, i <= 30 ? large : many, topic: i <= 30 ? "large" : "many"))]), TestContext.Current.CancellationToken);
        await connection.SilenceAsync();
        disk.SetResult();
        for (var i = 1; i <= 60; i++) Assert.Equal(i, await connection.AckAsync(PacketType.PubAck));
        await sending;
        Assert.Equal((30, 270_000), (gateway.Store.Records.Count, gateway.Store.Readings.Count));
        await run.CloseAsync(); // nothing is appended any more while the batches are looked at
        Assert.All(gateway.Store.Batches, b => Assert.True(b.Records.Sum(r => r.Value!.Value.Length) < 6_000_000 && b.Readings.Count < 20_000));
    }

    [Fact]
    public async Task Memory_is_bounded_by_not_reading_on()
    {
        await using var broker = new FakeBroker();
        var gateway = new Gateway(broker.Address);
        gateway.Config = gateway.Config with { MaxPacketSize = new(200_000), MaxInFlight = new(1_000_000), Version = "3.1.1" };
        var disk = new TaskCompletionSource();
        var (run, connection) = await StartAsync(broker, gateway, gate: _ => disk.Task);
        var large = new string('x', 100_000);
        var sending = Task.Run(() => connection.SendAsync([.. Enumerable.Range(1, 400).Select(i => FakeConnection.Message((ushort)i, large))]), TestContext.Current.CancellationToken); // 40 MB
        await connection.SilenceAsync(1_000);
        Assert.False(sending.IsCompleted);
        disk.SetResult();
        await sending.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        await run.UntilAsync(s => s.Records.Count == 400);
        await run.CloseAsync();
    }
}
