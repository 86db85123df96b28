using System.Text;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Connectors.Mqtt.Sink;
using IotGateway.Sdk;
using IotGateway.Sdk.Config;
using IotGateway.Sdk.Data;
using IotGateway.Testing;
using IotGateway.Tests.Mqtt.Brokers;
using IotGateway.Tests.Mqtt.Client;

namespace IotGateway.Tests.Mqtt.Sink;

/// <summary>Publishing records: what is settled, rejected, repeated; topics and properties.</summary>
public sealed class MqttSinkTests
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    static SinkRecord Record(int n, string? key = "k", string topic = "plant.line1", string? value = null, params Header[] headers) => new()
    {
        Topic = topic, Partition = 0, Offset = n, Timestamp = n, Headers = headers,
        Key = key is null ? (ReadOnlyMemory<byte>?)null : Encoding.UTF8.GetBytes(key), Value = Encoding.UTF8.GetBytes(value ?? $"{n}"),
    };

    static MqttSinkConfig Config(string address) => new() { Endpoint = new Endpoints(address), Version = "5.0", ClientId = "sink", Timeout = TimeSpan.FromSeconds(2) };

    static async Task<(ISink Sink, FakeConnection Connection)> OpenAsync(FakeBroker broker, MqttSinkConfig config, MqttProperties server = default)
    {
        var sink = (ISink)new MqttSinkFactory().Create(config, new FakeContext(new DurableStore()));
        var opening = sink.OpenAsync(OpenMode.Run, Ct).AsTask();
        var connection = await broker.AcceptAsync();
        await connection.WelcomeAsync(properties: server);
        await opening;
        return (sink, connection);
    }

    static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);

    [Fact]
    public async Task Only_the_prefix_the_broker_acknowledged_is_settled_when_the_connection_is_lost()
    {
        await using var broker = new FakeBroker();
        var (sink, connection) = await OpenAsync(broker, Config(broker.Address));
        var writing = sink.WriteAsync([.. Enumerable.Range(0, 5).Select(n => Record(n))], Ct).AsTask();
        var ids = new List<ushort>();
        for (var i = 0; i < 5; i++) ids.Add((await connection.ReadAsync<PublishPacket>()).PacketId);
        await connection.SendAsync(new AckPacket(PacketType.PubAck, ids[0]), new AckPacket(PacketType.PubAck, ids[1]), new AckPacket(PacketType.PubAck, ids[3]));
        await connection.SilenceAsync(100);
        await connection.DisposeAsync();
        var result = await writing;
        Assert.Equal(2, result.Settled);
        Assert.Empty(result.Rejected);
        var error = await Assert.ThrowsAsync<IOException>(async () => await sink.WriteAsync([Record(9)], Ct));
        Assert.Contains(broker.Address, error.Message, StringComparison.Ordinal);
        await sink.DisposeAsync();
    }

    [Fact]
    public async Task The_brokers_window_is_kept_and_releases_leave_in_order_however_its_answers_come()
    {
        await using var broker = new FakeBroker();
        var (sink, connection) = await OpenAsync(broker, Config(broker.Address) with { Qos = 2 }, new PropertiesBuilder().Number(PropertyId.ReceiveMaximum, 3).Build());
        var writing = sink.WriteAsync([.. Enumerable.Range(0, 4).Select(n => Record(n))], Ct).AsTask();
        var ids = new List<ushort>();
        for (var i = 0; i < 3; i++) ids.Add((await connection.ReadAsync<PublishPacket>()).PacketId);
        await connection.SilenceAsync(100);
        await connection.SendAsync(new AckPacket(PacketType.PubRec, ids[2]), new AckPacket(PacketType.PubRec, ids[1]));
        await connection.SilenceAsync(100);
        await connection.SendAsync(new AckPacket(PacketType.PubRec, ids[0]));
        for (var i = 0; i < 3; i++) Assert.Equal(ids[i], await connection.AckAsync(PacketType.PubRel));
        await connection.SendAsync(new AckPacket(PacketType.PubComp, ids[0]));
        var last = await connection.ReadAsync<PublishPacket>();
        Assert.Equal("3", Text(last.Payload));
        await connection.SendAsync(new AckPacket(PacketType.PubRec, last.PacketId), new AckPacket(PacketType.PubComp, ids[1]), new AckPacket(PacketType.PubComp, ids[2]));
        Assert.Equal(last.PacketId, await connection.AckAsync(PacketType.PubRel));
        Assert.False(writing.IsCompleted);
        await connection.SendAsync(new AckPacket(PacketType.PubComp, last.PacketId));
        Assert.Equal(4, (await writing).Settled);
        await sink.DisposeAsync();
    }

    [Fact]
    public async Task What_can_never_be_published_is_rejected_and_what_may_pass_is_not()
    {
        await using var broker = new FakeBroker();
        var (sink, connection) = await OpenAsync(broker, Config(broker.Address) with { Topic = "x/${key}" }, new PropertiesBuilder().Number(PropertyId.MaximumPacketSize, 200).Build());
        var writing = sink.WriteAsync([Record(0, "a+b"), Record(1, null), Record(2, value: new string('x', 300)), Record(3), Record(4), Record(5), Record(6)], Ct).AsTask();
        var ids = new List<ushort>();
        for (var i = 0; i < 4; i++) ids.Add((await connection.ReadAsync<PublishPacket>()).PacketId);
        await connection.SendAsync(new AckPacket(PacketType.PubAck, ids[0]), new AckPacket(PacketType.PubAck, ids[1], ReasonCode.PayloadFormatInvalid),
            new AckPacket(PacketType.PubAck, ids[2], ReasonCode.QuotaExceeded), new AckPacket(PacketType.PubAck, ids[3]));
        var result = await writing;
        Assert.Equal(5, result.Settled);
        Assert.Equal([0, 1, 2, 4], result.Rejected.Select(r => r.Index));
        Assert.Contains("'x/a+b'", result.Rejected[0].Reason, StringComparison.Ordinal);
        Assert.Contains("${key}", result.Rejected[1].Reason, StringComparison.Ordinal);
        Assert.Contains("200 bytes", result.Rejected[2].Reason, StringComparison.Ordinal);

        var refused = sink.WriteAsync([Record(7)], Ct).AsTask();
        await connection.SendAsync(new AckPacket(PacketType.PubAck, (await connection.ReadAsync<PublishPacket>()).PacketId, ReasonCode.NotAuthorized));
        Assert.Contains("'sink'", (await Assert.ThrowsAsync<PermanentException>(() => refused)).Message, StringComparison.Ordinal);
        await sink.DisposeAsync();
    }

    [Fact]
    public async Task Topics_hold_parts_of_the_record_and_headers_become_user_properties()
    {
        await using var broker = await Mosquitto.StartAsync();
        await using var watcher = await Clients.ConnectAsync(broker.Address, "watcher", "#");
        var config = Config(broker.Address) with { Topic = "${gateway}/${path}/${topic[1]}/${header.site}/${payload.n}/${key}", Headers = true, MessageExpiry = TimeSpan.FromSeconds(60), Retain = true };
        await using var sink = (ISink)new MqttSinkFactory().Create(config, new FakeContext(new DurableStore()));
        await sink.OpenAsync(OpenMode.Run, Ct);
        var record = Record(1, "press1/temp", value: """{"n":7}""", headers: [new("site", "north"u8.ToArray()), new("bin", new byte[] { 0xFF }), new("none", null)]);
        Assert.Equal(1, (await sink.WriteAsync([record], Ct)).Settled);
        var message = await watcher.NextAsync();
        Assert.Equal("testgw/plant/line1/line1/north/7/press1/temp", Text(message.Topic));
        Assert.Equal("""{"n":7}""", Text(message.Payload));
        var users = new List<string>();
        foreach (var p in message.Properties)
            if (p.Id == PropertyId.UserProperty) users.Add($"{Text(p.Name)}={Text(p.Data)}");
        Assert.Equal(["site=north"], users);
        Assert.InRange(message.Properties.Number(PropertyId.MessageExpiry)!.Value, 50u, 60u);
        await sink.CloseAsync(CloseReason.Stop, Ct);
    }

    [Fact]
    public async Task A_tombstone_clears_the_retained_message()
    {
        await using var broker = await Mosquitto.StartAsync();
        await using var sink = (ISink)new MqttSinkFactory().Create(Config(broker.Address) with { Retain = true }, new FakeContext(new DurableStore()));
        await sink.OpenAsync(OpenMode.Run, Ct);
        await sink.WriteAsync([Record(0, topic: "kept"), Record(1, topic: "gone"), Record(2, topic: "gone") with { Value = null }], Ct);
        await using var late = await Clients.ConnectAsync(broker.Address, "late", "#");
        Assert.Equal("kept", Text((await late.NextAsync()).Topic));
        await Assert.ThrowsAsync<OperationCanceledException>(() => late.NextAsync(seconds: 1));
        await sink.CloseAsync(CloseReason.Stop, Ct);
    }

    [Fact]
    public async Task A_broker_that_cannot_do_what_is_configured_is_for_a_human()
    {
        await using var broker = new FakeBroker();
        var sink = (ISink)new MqttSinkFactory().Create(Config(broker.Address) with { Qos = 2 }, new FakeContext(new DurableStore()));
        var opening = sink.OpenAsync(OpenMode.Run, Ct).AsTask();
        var connection = await broker.AcceptAsync();
        await connection.WelcomeAsync(properties: new PropertiesBuilder().Number(PropertyId.MaximumQos, 1).Build());
        await Assert.ThrowsAsync<PermanentException>(() => opening);
        await sink.DisposeAsync();
    }
}
