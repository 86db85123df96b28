using IotGateway.Connectors.Mqtt.Protocol;
using static IotGateway.Tests.Mqtt.Protocol.Codec;

namespace IotGateway.Tests.Mqtt.Protocol;

/// <summary>Random legal packets survive encoding and decoding, wherever the stream is cut.</summary>
public sealed class RoundTripTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(MqttVersion.V31)]
    [InlineData(MqttVersion.V311)]
    [InlineData(MqttVersion.V5)]
    public void Decoding_and_encoding_again_gives_the_same_bytes(object boxed)
    {
        var version = (MqttVersion)boxed;
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var packets = new RandomPackets(seed);
        var types = new HashSet<PacketType>();
        for (var i = 0; i < 3_000; i++)
        {
            var packet = packets.Next(version);
            var bytes = Encode(packet, version);
            var back = Decode(bytes, version);
            Assert.Equal(packet.GetType(), back.GetType());
            Assert.True(bytes.AsSpan().SequenceEqual(Encode(back, version)), $"{packet.Type}, packet {i} of seed {seed}");
            types.Add(back.Type);
        }
        Assert.Equal(version == MqttVersion.V5 ? 15 : 14, types.Count);
    }

    [Fact]
    public void A_header_split_at_every_byte_is_read_once_it_is_whole()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var packets = new RandomPackets(seed);
        for (var i = 0; i < 500; i++)
        {
            var bytes = Encode(packets.Next(MqttVersion.V5), MqttVersion.V5);
            Assert.True(PacketHeader.TryRead(bytes, MqttVersion.V5, MqttLimits.Protocol, out var whole));
            for (var cut = 0; cut < whole.Size; cut++) Assert.False(PacketHeader.TryRead(bytes.AsSpan(0, cut), MqttVersion.V5, MqttLimits.Protocol, out _));
            Assert.True(PacketHeader.TryRead(bytes.AsSpan(0, whole.Size), MqttVersion.V5, MqttLimits.Protocol, out var again));
            Assert.Equal(whole, again);
        }
    }

    [Fact]
    public void A_body_cut_short_is_refused_and_never_read_beyond()
    {
        var packets = new RandomPackets(11);
        for (var i = 0; i < 300; i++)
        {
            var packet = packets.Next(MqttVersion.V5);
            var bytes = Encode(packet, MqttVersion.V5);
            PacketHeader.TryRead(bytes, MqttVersion.V5, MqttLimits.Protocol, out var header);
            for (var cut = 0; cut < Math.Min(header.Body, 300); cut++)
                try
                {
                    // Some packets are legal when shorter (a payload, an omitted reason); what is accepted must then encode to what was read.
                    var back = MqttDecoder.Decode(header with { Body = cut }, bytes.AsMemory(header.Size, cut), MqttVersion.V5, MqttLimits.Protocol);
                    Assert.True(packet is PublishPacket or AckPacket or DisconnectPacket or AuthPacket or SubscribePacket or UnsubscribePacket or SubAckPacket or ConnAckPacket, packet.Type.ToString());
                    Assert.Equal(packet.Type, back.Type);
                }
                catch (MqttProtocolException) { } // the expected answer
        }
    }

    [Fact]
    public void Text_that_cannot_be_written_leaves_the_writer_as_it_was()
    {
        var w = new WireWriter();
        w.Byte(7);
        Assert.Throws<ArgumentException>(() => MqttEncoder.Encode(w, new ConnectPacket { Version = MqttVersion.V5, ClientId = "a\0" }, MqttVersion.V5));
        Assert.Throws<ArgumentException>(() => MqttEncoder.Encode(w, new ConnectPacket { Version = MqttVersion.V5, ClientId = new('x', 70_000) }, MqttVersion.V5));
        Assert.Equal([7], w.Written.ToArray());
    }
}
