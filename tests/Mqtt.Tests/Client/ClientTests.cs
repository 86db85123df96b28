using System.Globalization;
using System.Text;
using IotGateway.Connectors.Mqtt;
using IotGateway.Connectors.Mqtt.Client;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Tests.Mqtt.Brokers;

namespace IotGateway.Tests.Mqtt.Client;

/// <summary>The client by itself: publishing, windows, aliases, writes.</summary>
public sealed class ClientTests
{
    static readonly MqttClientOptions Options = new() { ClientId = "publisher", CleanStart = true };

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    static Task<MqttClient> ConnectAsync(string address, MqttClientOptions? options = null)
        => MqttConnect.ConnectAsync(options ?? Options, MqttAddress.TryParse(address, out _)!, TimeProvider.System, Ct);

    static PublishPacket Message(string payload, byte qos) => FakeConnection.Message(0, payload, qos);

    [Theory]
    [InlineData(MqttVersion.V311, 0)]
    [InlineData(MqttVersion.V311, 1)]
    [InlineData(MqttVersion.V311, 2)]
    [InlineData(MqttVersion.V5, 0)]
    [InlineData(MqttVersion.V5, 1)]
    [InlineData(MqttVersion.V5, 2)]
    public async Task Publishes_to_mosquitto_at_every_quality(object version, byte qos)
    {
        await using var broker = await Mosquitto.StartAsync();
        await using var client = await ConnectAsync(broker.Address, Options with { Version = (MqttVersion)version });
        var recorder = new Recorder();
        var running = client.RunAsync(recorder, Ct);
        Assert.Equal([ReasonCode.GrantedQos1], await client.SubscribeAsync([SubscribeFilter.Of("t", 1)], null, Ct));
        for (var i = 0; i < 50; i++) await client.PublishAsync(Message(i.ToString(CultureInfo.InvariantCulture), qos), Ct);
        for (var i = 0; i < 50; i++)
        {
            var message = await recorder.NextAsync();
            Assert.Equal(i.ToString(CultureInfo.InvariantCulture), Encoding.UTF8.GetString(message.Payload.Span));
            if (message.Qos == 1) await client.SendAsync(message.PacketId, static (w, id) => MqttEncoder.Ack(w, PacketType.PubAck, id), ping: false);
        }
        await client.UnsubscribeAsync([Encoding.UTF8.GetBytes("t")], Ct);
        await client.DisposeAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task Keeps_to_the_brokers_window_and_sends_on_when_a_place_is_free()
    {
        await using var broker = new FakeBroker();
        var connecting = ConnectAsync(broker.Address);
        var connection = await broker.AcceptAsync();
        await connection.WelcomeAsync(properties: new PropertiesBuilder().Number(PropertyId.ReceiveMaximum, 2).Build());
        await using var client = await connecting;
        var running = client.RunAsync(new Recorder(), Ct);
        var sending = Enumerable.Range(0, 3).Select(i => client.PublishAsync(Message($"{i}", 1), Ct)).ToArray();
        var first = await connection.ReadAsync<PublishPacket>();
        var second = await connection.ReadAsync<PublishPacket>();
        await connection.SilenceAsync(200);
        await connection.SendAsync(new AckPacket(PacketType.PubAck, first.PacketId), new AckPacket(PacketType.PubAck, second.PacketId, ReasonCode.QuotaExceeded));
        var third = await connection.ReadAsync<PublishPacket>();
        await connection.SendAsync(new AckPacket(PacketType.PubAck, third.PacketId));
        await sending[0];
        Assert.Equal(ReasonCode.QuotaExceeded, (await Assert.ThrowsAsync<MqttRefusedException>(() => Task.WhenAll(sending))).Reason);
        await client.DisposeAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => running);
    }

    [Fact]
    public async Task What_waits_for_an_answer_fails_when_the_connection_ends()
    {
        await using var broker = new FakeBroker();
        var connecting = ConnectAsync(broker.Address);
        var connection = await broker.AcceptAsync();
        await connection.WelcomeAsync();
        await using var client = await connecting;
        var running = client.RunAsync(new Recorder(), Ct);
        var publishing = client.PublishAsync(Message("x", 1), Ct);
        await connection.ReadAsync<PublishPacket>();
        await connection.DisposeAsync();
        await Assert.ThrowsAsync<IOException>(() => publishing);
        await Assert.ThrowsAsync<IOException>(() => running);
        await Assert.ThrowsAsync<IOException>(() => client.PublishAsync(Message("x", 1), Ct));
    }

    [Fact]
    public async Task Topic_aliases_stand_for_their_topics()
    {
        await using var broker = new FakeBroker();
        var connecting = ConnectAsync(broker.Address);
        var connection = await broker.AcceptAsync();
        await connection.WelcomeAsync();
        await using var client = await connecting;
        var recorder = new Recorder();
        var running = client.RunAsync(recorder, Ct);
        var alias = new PropertiesBuilder().Number(PropertyId.TopicAlias, 3).Build();
        PublishPacket With(string topic) => new() { Topic = Encoding.UTF8.GetBytes(topic), Properties = alias };
        await connection.SendAsync(With("a/b"), With(""), With("c"), With(""));
        foreach (var topic in new[] { "a/b", "a/b", "c", "c" }) Assert.Equal(topic, Encoding.UTF8.GetString((await recorder.NextAsync()).Topic.Span));
        await client.DisposeAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => running);
    }

    [Fact]
    public async Task A_batch_of_acknowledgements_is_one_write()
    {
        var stream = new CountingStream();
        using var sender = new PacketSender(stream, TimeProvider.System);
        var owed = new Acknowledgements(1, MqttVersion.V5);
        for (var i = 1; i <= 1_000; i++) owed.Message(1, (ushort)i);
        Assert.Equal(1, await sender.SendAsync(owed, Acknowledgements.Encode, ping: true, Ct));
        Assert.Equal((1, 4_002), (stream.Writes, stream.Bytes));
    }

    [Fact]
    public async Task A_message_split_anywhere_is_read_whole()
    {
        var w = new WireWriter();
        var sent = Enumerable.Range(0, 40).Select(i => FakeConnection.Message((ushort)(i + 1), new string('x', i * i * 60))).ToArray(); // up to 91 kB, over a chunk
        foreach (var message in sent) MqttEncoder.Encode(w, message, MqttVersion.V5);
        foreach (var piece in new[] { 1, 2, 7, 1_000, 65_536, 300_000 })
        {
            var reader = new PacketReader(new PieceStream(w.Written.ToArray(), piece), new(1 << 20)) { Version = MqttVersion.V5 };
            var kept = new List<PublishPacket>();
            while (await reader.ReadAsync(Ct) is PublishPacket packet) kept.Add(packet);
            Assert.Equal(sent.Select(m => (m.PacketId, m.Payload.Length)), kept.Select(m => (m.PacketId, m.Payload.Length)));
            Assert.All(kept, m => Assert.Equal(-1, m.Payload.Span.IndexOfAnyExcept((byte)'x'))); // later packets did not overwrite earlier ones
        }
    }

    [Fact]
    public async Task The_smallest_messages_are_not_overwritten_by_later_ones()
    {
        var w = new WireWriter();
        for (var i = 0; i < 30_000; i++) MqttEncoder.Encode(w, new PublishPacket { Topic = "a"u8.ToArray(), Payload = new[] { (byte)i } }, MqttVersion.V311);
        var reader = new PacketReader(new PieceStream(w.Written.ToArray(), 6), new(1 << 20)) { Version = MqttVersion.V311 };
        var kept = new List<PublishPacket>();
        while (await reader.ReadAsync(Ct) is PublishPacket packet) kept.Add(packet);
        Assert.Equal(Enumerable.Range(0, 30_000).Select(i => (byte)i), kept.Select(m => m.Payload.Span[0]));
    }

    [Fact]
    public async Task A_large_claim_costs_no_memory()
    {
        var reader = new PacketReader(new PieceStream([0x30, 0xff, 0xff, 0xff, 0x7f, 0, 1, 2], 100), MqttLimits.Protocol) { Version = MqttVersion.V5 };
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Null(await reader.ReadAsync(Ct));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 70_000);
    }

    [Theory]
    [InlineData("mqtt://h", "mqtt://h:1883")]
    [InlineData("mqtts://h", "mqtts://h:8883")]
    [InlineData("mqtt://[::1]:1884", "mqtt://[::1]:1884")]
    [InlineData("ws://h/mqtt", "ws://h:80/mqtt")]
    [InlineData("wss://h:8084", "wss://h:8084/")]
    [InlineData("unix:///run/m.sock", "unix:///run/m.sock")]
    public void Addresses_are_read(string text, string full) => Assert.Equal(full, MqttAddress.TryParse(text, out _)!.ToString());

    [Theory]
    [InlineData("127.0.0.1:1883")]
    [InlineData("tcp://h:1883")]
    [InlineData("mqtt://")]
    [InlineData("mqtt://h/path")]
    [InlineData("mqtt://user:secret@h")]
    public void Other_addresses_are_refused_without_showing_a_password(string text)
    {
        Assert.Null(MqttAddress.TryParse(text, out var error));
        Assert.DoesNotContain("secret", error, StringComparison.Ordinal);
    }

    sealed class CountingStream : MemoryStream
    {
        public int Writes, Bytes;

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Writes++;
            Bytes += buffer.Length;
            return default;
        }
    }

    sealed class PieceStream(byte[] data, int piece) : MemoryStream(data)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
            => base.ReadAsync(buffer[..Math.Min(piece, buffer.Length)], cancellationToken);
    }
}
