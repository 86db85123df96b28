using System.Globalization;
using System.Text;
using IotGateway.Connectors.Mqtt.Client;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Connectors.Mqtt.Sink;
using IotGateway.Sdk;
using IotGateway.Sdk.Config;
using IotGateway.Sdk.Data;
using IotGateway.Testing;
using IotGateway.Tests.Mqtt.Brokers;

namespace IotGateway.Tests.Mqtt.Client;

/// <summary>Topics sent as aliases: only what the broker offered, never an alias before its topic, anew with every connection.</summary>
public sealed class OutboundAliasTests(ITestOutputHelper output)
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    static PublishPacket Message(string topic) => FakeConnection.Message(0, "x", qos: 0, topic: topic);

    static PublishPacket Sent(OutboundAliases aliases, PublishPacket message)
    {
        var w = new WireWriter();
        aliases.Encode(w, message);
        Assert.True(PacketHeader.TryRead(w.Written.Span, MqttVersion.V5, MqttLimits.Protocol, out var header));
        return (PublishPacket)MqttDecoder.Decode(header, w.Written.ToArray().AsMemory(header.Size, header.Body), MqttVersion.V5, MqttLimits.Protocol);
    }

    static (string Topic, uint? Alias) Shown(PublishPacket packet) => (Encoding.UTF8.GetString(packet.Topic.Span), packet.Properties.Number(PropertyId.TopicAlias));

    [Fact]
    public void A_topic_that_comes_again_is_sent_as_its_alias()
    {
        var aliases = new OutboundAliases(2);
        Assert.Equal([("plant/1", 1u), ("", 1u), ("plant/2", 2u), ("", 1u), ("", 2u)],
            new[] { "plant/1", "plant/1", "plant/2", "plant/1", "plant/2" }.Select(t => Shown(Sent(aliases, Message(t)))));
    }

    [Fact]
    public void Nothing_is_shortened_that_was_not_offered_or_would_not_get_shorter()
    {
        var none = new OutboundAliases(0);
        var few = new OutboundAliases(10);
        var (tiny, endless) = ("a/b", new string('x', 2_000));
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(("plant/1", null), Shown(Sent(none, Message("plant/1"))));
            Assert.Equal((tiny, null), Shown(Sent(few, Message(tiny))));
            Assert.Equal((endless, null), Shown(Sent(few, Message(endless))));
        }
    }

    [Fact]
    public void A_message_that_cannot_be_written_sets_no_alias()
    {
        var aliases = new OutboundAliases(10);
        var impossible = new PublishPacket { Topic = "plant/1"u8.ToArray(), Payload = new byte[268_435_456] };
        Assert.ThrowsAny<ArgumentException>(() => Sent(aliases, impossible));
        Assert.Equal("plant/1", Shown(Sent(aliases, Message("plant/1"))).Topic);
    }

    [Fact]
    public void The_busy_topic_keeps_its_alias_among_any_number_of_others()
    {
        var aliases = new OutboundAliases(8);
        Sent(aliases, Message("busy"));
        for (var i = 0; i < 1_000; i++)
        {
            Sent(aliases, Message(string.Create(CultureInfo.InvariantCulture, $"once/{i}")));
            Assert.Equal("", Shown(Sent(aliases, Message("busy"))).Topic);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(65_535)]
    public void Whoever_resolves_them_reads_the_topics_that_were_meant(int offered)
    {
        var seed = Fuzzer.Seed;
        output.WriteLine($"FUZZ_SEED={seed}");
        var random = new Random(seed);
        var (aliases, peer) = (new OutboundAliases(offered), new TopicAliases(offered)); // the peer's side throws on an alias above its maximum or one never set
        var shortened = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var topic = string.Create(CultureInfo.InvariantCulture, $"plant/{random.Next(random.Next(1, 3_000))}");
            var packet = Sent(aliases, Message(topic));
            if (packet.Topic.IsEmpty) shortened++;
            Assert.Equal(topic, Encoding.UTF8.GetString(peer.Resolve(packet).Topic.Span));
            if (packet.Properties.Number(PropertyId.TopicAlias) is { } alias) Assert.InRange(alias, 1u, (uint)Math.Min(offered, OutboundAliases.Most));
        }
        Assert.True(shortened > 0, "none was shortened");
    }

    [Fact]
    public async Task Every_connection_of_a_sink_begins_without_aliases_and_keeps_to_what_its_broker_offers()
    {
        await using var broker = new FakeBroker();
        foreach (var (version, offered) in new[] { ("5.0", 1u), ("5.0", 0u), ("5.0", 20u), ("3.1.1", 0u) })
        {
            var sink = (ISink)new MqttSinkFactory().Create(new MqttSinkConfig { Endpoint = new Endpoints(broker.Address), Version = version, ClientId = "sink" }, new FakeContext(new DurableStore()));
            var opening = sink.OpenAsync(OpenMode.Run, Ct).AsTask();
            var connection = await broker.AcceptAsync();
            await connection.WelcomeAsync(properties: offered == 0 ? default : new PropertiesBuilder().Number(PropertyId.TopicAliasMaximum, offered).Build());
            await opening;
            var writing = sink.WriteAsync([.. Enumerable.Range(0, 6).Select(n => Record($"plant.{n % 2}", n))], Ct).AsTask();
            var peer = new TopicAliases((int)offered);
            for (var n = 0; n < 6; n++)
            {
                var packet = await connection.ReadAsync<PublishPacket>();
                Assert.Equal(n >= 2 && n % 2 < offered, packet.Topic.IsEmpty);
                Assert.Equal(($"plant/{n % 2}", $"{n}"), (Encoding.UTF8.GetString(peer.Resolve(packet).Topic.Span), Encoding.UTF8.GetString(packet.Payload.Span)));
                await connection.SendAsync(new AckPacket(PacketType.PubAck, packet.PacketId));
            }
            Assert.Equal(6, (await writing).Settled);
            await sink.DisposeAsync();
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Mosquitto_delivers_shortened_messages_under_their_topics(int qos)
    {
        const int topics = 30, each = 40; // more than the ten aliases mosquitto offers
        await using var broker = await Mosquitto.StartAsync();
        await using (var probe = await MqttConnect.ConnectAsync(new() { ClientId = "probe", CleanStart = true }, MqttAddress.TryParse(broker.Address, out _)!, TimeProvider.System, Ct))
            Assert.Equal(10, probe.Server.TopicAliasMaximum);
        await using var watcher = await Clients.ConnectAsync(broker.Address, "watcher", "#");
        await using var sink = (ISink)new MqttSinkFactory().Create(new MqttSinkConfig { Endpoint = new Endpoints(broker.Address), Version = "5.0", ClientId = "sink", Qos = qos }, new FakeContext(new DurableStore()));
        await sink.OpenAsync(OpenMode.Run, Ct);
        string Topic(int n) => string.Create(CultureInfo.InvariantCulture, $"plant.{n * n % topics % (n % 3 == 0 ? topics : 5)}");
        for (var from = 0; from < topics * each; from += 200)
            Assert.Equal(200, (await sink.WriteAsync([.. Enumerable.Range(from, 200).Select(n => Record(Topic(n), n))], Ct)).Settled);
        for (var n = 0; n < topics * each; n++)
        {
            var message = await watcher.NextAsync();
            Assert.Equal((Topic(n).Replace('.', '/'), $"{n}"), (Encoding.UTF8.GetString(message.Topic.Span), Encoding.UTF8.GetString(message.Payload.Span)));
        }
        await sink.CloseAsync(CloseReason.Stop, Ct);
    }

    static SinkRecord Record(string topic, int n) => new() { Topic = topic, Partition = 0, Offset = n, Timestamp = n, Headers = [], Key = (ReadOnlyMemory<byte>?)null, Value = Encoding.UTF8.GetBytes($"{n}") };
}
