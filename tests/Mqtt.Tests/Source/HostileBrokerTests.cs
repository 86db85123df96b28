using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Sdk;
using IotGateway.Sdk.Config;
using IotGateway.Testing;
using IotGateway.Tests.Mqtt.Brokers;
using IotGateway.Tests.Mqtt.Protocol;

namespace IotGateway.Tests.Mqtt.Source;

/// <summary>Brokers that misbehave: each gets its reason code or a clear error, and the instance ends.</summary>
public sealed class HostileBrokerTests
{
    [Theory]
    [InlineData("36 05 0001 61 0001", ReasonCode.MalformedPacket)] // QoS 3
    [InlineData("30 04 0002 c080", ReasonCode.MalformedPacket)] // bad UTF-8
    [InlineData("30 05 0003 612f2b 00", ReasonCode.MalformedPacket)] // properties missing
    [InlineData("30 06 0003 612f2b 00", ReasonCode.TopicNameInvalid)]
    [InlineData("30 ffffff7f", ReasonCode.PacketTooLarge)] // 256 MiB
    [InlineData("30 8080808001", ReasonCode.MalformedPacket)]
    [InlineData("20 03 00 00 00", ReasonCode.ProtocolError)] // second CONNACK
    [InlineData("c0 00", ReasonCode.ProtocolError)] // PINGREQ from a server
    [InlineData("d0 00", ReasonCode.ProtocolError)] // PINGRESP nobody asked for
    [InlineData("90 04 7777 00 00", ReasonCode.ProtocolError)] // SUBACK nobody waits for
    [InlineData("30 06 0000 03 230001", ReasonCode.ProtocolError)] // alias never set
    [InlineData("30 07 0001 61 03 23ffff", ReasonCode.TopicAliasInvalid)]
    public async Task What_breaks_the_protocol_ends_the_connection_with_its_reason(string hex, object reason)
    {
        await using var broker = new FakeBroker();
        var gateway = new Gateway(broker.Address);
        var run = gateway.Driver();
        var starting = run.StartAsync();
        var connection = await broker.AcceptSubscriberAsync();
        await starting;
        await connection.SendAsync(Codec.Bytes(hex));
        Assert.Equal((ReasonCode)reason, (await connection.ReadAsync<DisconnectPacket>()).Reason);
        var fault = await Assert.ThrowsAsync<IOException>(() => run.Reading.WaitAsync(TimeSpan.FromSeconds(5)));
        Assert.Contains(((ReasonCode)reason).Text(), fault.Message, StringComparison.Ordinal);
        await run.CloseAsync(CloseReason.Fault);
    }

    [Fact]
    public async Task A_broker_that_never_answers_CONNECT_is_given_up()
    {
        await using var broker = new FakeBroker();
        var gateway = new Gateway(broker.Address);
        gateway.Config = gateway.Config with { Timeout = TimeSpan.FromMilliseconds(300) };
        await using var source = gateway.Create();
        var e = await Assert.ThrowsAsync<IOException>(() => source.OpenAsync(OpenMode.Run, TestContext.Current.CancellationToken).AsTask());
        Assert.Contains(broker.Address, e.Message, StringComparison.Ordinal);
        Assert.Contains("did not answer", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broker_that_never_answers_SUBSCRIBE_is_given_up()
    {
        await using var broker = new FakeBroker();
        var gateway = new Gateway(broker.Address);
        gateway.Config = gateway.Config with { Timeout = TimeSpan.FromMilliseconds(300) };
        await using var source = gateway.Create();
        var opening = source.OpenAsync(OpenMode.Run, TestContext.Current.CancellationToken).AsTask();
        await broker.AcceptSubscriberAsync(subscribes: false);
        Assert.Contains("SUBACK", (await Assert.ThrowsAsync<IOException>(() => opening)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broker_that_falls_silent_is_noticed()
    {
        await using var broker = new FakeBroker();
        var gateway = new Gateway(broker.Address);
        var run = gateway.Driver();
        var starting = run.StartAsync();
        var connection = await broker.AcceptAsync();
        await connection.WelcomeAsync(properties: new PropertiesBuilder().Number(PropertyId.ServerKeepAlive, 1).Build()); // overrules 30 s
        await connection.GrantAsync();
        await starting;
        Assert.IsType<PingPacket>(await connection.ReadAsync(answerPings: false));
        var fault = await Assert.ThrowsAsync<IOException>(() => run.Reading.WaitAsync(TimeSpan.FromSeconds(8)));
        Assert.Contains("did not answer a PINGREQ", fault.Message, StringComparison.Ordinal);
        await run.CloseAsync(CloseReason.Fault);
    }

    [Fact]
    public async Task A_session_taken_over_is_said_and_not_fought_for()
    {
        await using var broker = new FakeBroker();
        var gateway = new Gateway(broker.Address);
        var run = gateway.Driver();
        var starting = run.StartAsync();
        var connection = await broker.AcceptSubscriberAsync();
        await starting;
        await connection.SendAsync(new DisconnectPacket(ReasonCode.SessionTakenOver));
        var fault = await Assert.ThrowsAsync<IOException>(() => run.Reading.WaitAsync(TimeSpan.FromSeconds(5)));
        Assert.Contains("Another client connected", fault.Message, StringComparison.Ordinal);
        await run.CloseAsync(CloseReason.Fault);
        await using var next = gateway.Create();
        Assert.Contains("took the session", (await Assert.ThrowsAsync<IOException>(() => next.OpenAsync(OpenMode.Run, TestContext.Current.CancellationToken).AsTask())).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("20 02 00 01")] // the refusal of 3.1.1
    [InlineData("20 03 00 84 00")] // that of 5
    [InlineData("")] // some only close
    public async Task A_broker_that_does_not_know_version_five_is_asked_in_three_one_one(string answer)
    {
        await using var broker = new FakeBroker();
        var gateway = new Gateway(broker.Address);
        gateway.Config = gateway.Config with { Version = "auto" };
        var run = gateway.Driver();
        var starting = run.StartAsync();
        var first = await broker.AcceptAsync();
        Assert.Equal(MqttVersion.V5, (await first.ReadAsync<ConnectPacket>()).Version);
        await first.SendAsync(Codec.Bytes(answer));
        await first.DisposeAsync();
        var second = await broker.AcceptSubscriberAsync();
        await starting;
        Assert.Equal((MqttVersion.V311, false), (second.Version, second.Connect.CleanStart));
        await run.CloseAsync();
    }

    [Theory]
    [InlineData(ReasonCode.BadUserNameOrPassword, true)]
    [InlineData(ReasonCode.NotAuthorized, true)]
    [InlineData(ReasonCode.ServerBusy, false)]
    public async Task Refusals_are_permanent_where_only_a_human_can_help(object reason, bool permanent)
    {
        await using var broker = new FakeBroker();
        var gateway = new Gateway(broker.Address);
        await using var source = gateway.Create();
        var opening = source.OpenAsync(OpenMode.Run, TestContext.Current.CancellationToken).AsTask();
        var connection = await broker.AcceptAsync();
        await connection.ReadAsync<ConnectPacket>();
        await connection.SendAsync(new ConnAckPacket((ReasonCode)reason, false) { Properties = new PropertiesBuilder().Text(PropertyId.ReasonString, "no\nway").Build() });
        var e = await Assert.ThrowsAnyAsync<Exception>(() => opening);
        Assert.Equal(permanent, e is PermanentException);
        Assert.Contains($"{((ReasonCode)reason).Text()} (no way)", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_next_endpoint_is_tried_when_the_first_is_away()
    {
        await using var broker = new FakeBroker();
        var gateway = new Gateway(broker.Address);
        gateway.Config = gateway.Config with { Endpoint = new Endpoints($"mqtt://127.0.0.1:{Ports.Free()}", broker.Address) };
        var run = gateway.Driver();
        var starting = run.StartAsync();
        await broker.AcceptSubscriberAsync();
        await starting;
        await run.CloseAsync();
    }

    [Fact]
    public async Task A_broker_away_is_named()
    {
        var address = $"mqtt://127.0.0.1:{Ports.Free()}";
        await using var source = new Gateway(address).Create();
        Assert.Contains(address, (await Assert.ThrowsAsync<IOException>(() => source.OpenAsync(OpenMode.Run, TestContext.Current.CancellationToken).AsTask())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_refused_filter_leaves_the_others_working()
    {
        await using var broker = new FakeBroker();
        var gateway = new Gateway(broker.Address);
        gateway.Config = gateway.Config with { Subscriptions = [new() { Filter = "a" }, new() { Filter = "b" }] };
        var run = gateway.Driver();
        var starting = run.StartAsync();
        var connection = await broker.AcceptSubscriberAsync(subscribes: false);
        var subscribe = await connection.ReadAsync<SubscribePacket>();
        await connection.SendAsync(new SubAckPacket(PacketType.SubAck, subscribe.PacketId, new byte[] { 1, (byte)ReasonCode.NotAuthorized }));
        await starting;
        await connection.PublishAsync(1, "x", topic: "a");
        await run.UntilAsync(s => s.Records.Count == 1);
        Assert.Contains(gateway.Context.Reports, r => r is { Tag: "b", Code: "mqtt:0x87" });
        await run.CloseAsync();
    }

    /// <summary>A protocol error that real brokers make (mosquitto 2.0 under load): back-pressure instead of an endless loop of faults.</summary>
    [Fact]
    public async Task More_messages_than_the_receive_maximum_are_taken_all_the_same()
    {
        await using var broker = new FakeBroker();
        var gateway = new Gateway(broker.Address);
        gateway.Config = gateway.Config with { ReceiveMaximum = 10 };
        var disk = new TaskCompletionSource();
        var run = gateway.Driver(_ => disk.Task);
        var starting = run.StartAsync();
        var connection = await broker.AcceptSubscriberAsync();
        await starting;
        await connection.SendAsync([.. Enumerable.Range(1, 10_000).Select(i => FakeConnection.Message((ushort)i, "x"))]);
        await connection.SilenceAsync();
        disk.SetResult();
        for (var i = 1; i <= 10_000; i++) Assert.Equal(i, await connection.AckAsync(PacketType.PubAck));
        await run.CloseAsync();
    }

    /// <summary>It may do so (MQTT 5 §3.8.4): retained messages, more than there is room for, before the answer that opening waits for.</summary>
    [Theory]
    [InlineData("5.0", 70, 1_000_000)]
    [InlineData("3.1.1", 20_000, 10)]
    public async Task A_storm_of_messages_before_the_answer_to_SUBSCRIBE_is_stored(string version, int count, int size)
    {
        await using var broker = new FakeBroker();
        var gateway = new Gateway(broker.Address);
        gateway.Config = gateway.Config with { Version = version };
        var run = gateway.Driver();
        var starting = run.StartAsync();
        var connection = await broker.AcceptAsync();
        await connection.WelcomeAsync();
        var subscribe = await connection.ReadAsync<SubscribePacket>();
        var payload = new string('x', size);
        var sending = Task.Run(async () =>
        {
            for (var i = 1; i <= count; i++) await connection.PublishAsync((ushort)i, payload);
            await connection.SendAsync(new SubAckPacket(PacketType.SubAck, subscribe.PacketId, new byte[] { 1 }));
        }, TestContext.Current.CancellationToken);
        for (var i = 1; i <= count; i++) Assert.Equal(i, await connection.AckAsync(PacketType.PubAck));
        await sending;
        await starting.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.Equal(count, gateway.Store.Records.Count);
        await run.CloseAsync();
    }
}
