using System.Text;
using IotGateway.Connectors.Mqtt.Protocol;
using static IotGateway.Tests.Mqtt.Protocol.Codec;

namespace IotGateway.Tests.Mqtt.Protocol;

/// <summary>Bytes worked out by hand from the figures of the specifications.</summary>
public sealed class GoldenTests
{
    [Theory]
    [InlineData(0, "00")]
    [InlineData(127, "7f")]
    [InlineData(128, "8001")]
    [InlineData(16_383, "ff7f")]
    [InlineData(16_384, "808001")]
    [InlineData(2_097_151, "ffff7f")]
    [InlineData(2_097_152, "80808001")]
    [InlineData(268_435_455, "ffffff7f")]
    public void Lengths_are_written_as_in_table_1_1(int value, string hex)
    {
        var w = new WireWriter();
        w.VarInt(value);
        Assert.Equal(hex, Hex(w.Written.ToArray()));
        Assert.Equal((uint)value, new WireReader(w.Written).VarInt());
    }

    [Fact]
    public void A_five_connect_is_the_one_of_figure_3_6()
    {
        // MQTT 5 §3.1.2.12: user name, password, will QoS 1, clean start, keep alive 10, session expiry 10.
        var connect = new ConnectPacket
        {
            Version = MqttVersion.V5, CleanStart = true, KeepAlive = 10, ClientId = "c", Username = "u", Password = new byte[] { 1 },
            Will = new("t", new byte[] { 9 }, 1), Properties = new PropertiesBuilder().Number(PropertyId.SessionExpiry, 10).Build(),
        };
        const string hex = "10 20 0004 4d515454 05 ce 000a 05 11 0000000a 0001 63 00 0001 74 0001 09 0001 75 0001 01";
        Assert.Equal(Hex(Bytes(hex)), Hex(Encode(connect, MqttVersion.V5)));
        var back = Decode<ConnectPacket>(hex, MqttVersion.V5);
        Assert.Equal(("c", "u", (ushort)10, true, "t", (byte)1), (back.ClientId, back.Username, back.KeepAlive, back.CleanStart, back.Will!.Topic, back.Will.Qos));
        Assert.Equal(10u, back.Properties.Number(PropertyId.SessionExpiry));
    }

    [Fact]
    public void A_three_one_one_publish_is_the_one_of_figure_3_11()
    {
        // 3.1.1 §3.3.2.3: topic a/b, packet identifier 10.
        const string hex = "32 07 0003 612f62 000a";
        var p = Decode<PublishPacket>(hex, MqttVersion.V311);
        Assert.Equal(("a/b", 10, 1, false, false, 0), (Encoding.UTF8.GetString(p.Topic.Span), p.PacketId, p.Qos, p.Retain, p.Dup, p.Payload.Length));
        Assert.Equal(Hex(Bytes(hex)), Hex(Encode(p, MqttVersion.V311)));
    }

    [Fact]
    public void A_subscribe_is_the_one_of_figure_3_23()
    {
        // 3.1.1 §3.8.3.1: a/b at QoS 1 and c/d at QoS 2, packet identifier 10.
        var packet = new SubscribePacket(10, SubscribeFilter.Of("a/b", 1), SubscribeFilter.Of("c/d", 2));
        Assert.Equal(Hex(Bytes("82 0e 000a 0003 612f62 01 0003 632f64 02")), Hex(Encode(packet, MqttVersion.V311)));
        Assert.Equal(Hex(Bytes("82 0f 000a 00 0003 612f62 01 0003 632f64 02")), Hex(Encode(packet, MqttVersion.V5)));
    }

    [Theory]
    [InlineData("40 02 0102", MqttVersion.V311, PacketType.PubAck, 0x102, ReasonCode.Success)]
    [InlineData("40 02 0102", MqttVersion.V5, PacketType.PubAck, 0x102, ReasonCode.Success)]
    [InlineData("40 03 0102 10", MqttVersion.V5, PacketType.PubAck, 0x102, ReasonCode.NoMatchingSubscribers)]
    [InlineData("50 04 0102 97 00", MqttVersion.V5, PacketType.PubRec, 0x102, ReasonCode.QuotaExceeded)]
    [InlineData("62 02 ffff", MqttVersion.V5, PacketType.PubRel, 0xffff, ReasonCode.Success)]
    [InlineData("70 03 0001 92", MqttVersion.V5, PacketType.PubComp, 1, ReasonCode.PacketIdNotFound)]
    public void Acknowledgements(string hex, object version, object type, int id, object reason)
    {
        var ack = Decode<AckPacket>(hex, (MqttVersion)version);
        Assert.Equal(((PacketType)type, (ushort)id, (ReasonCode)reason), (ack.Type, ack.PacketId, ack.Reason));
    }

    [Fact]
    public void The_short_acknowledgement_equals_the_long_way()
    {
        foreach (var type in new[] { PacketType.PubAck, PacketType.PubRec, PacketType.PubRel, PacketType.PubComp })
        {
            var w = new WireWriter();
            MqttEncoder.Ack(w, type, 4711);
            Assert.Equal(Hex(Encode(new AckPacket(type, 4711), MqttVersion.V5)), Hex(w.Written.ToArray()));
        }
    }

    [Fact]
    public void An_old_broker_may_refuse_version_five_in_its_own_form()
        => Assert.Equal(ReasonCode.UnsupportedProtocolVersion, Decode<ConnAckPacket>("20 02 00 01", MqttVersion.V5).Reason);

    [Theory]
    [InlineData("20 02 00 05", MqttVersion.V311, ReasonCode.NotAuthorized)]
    [InlineData("20 02 00 04", MqttVersion.V311, ReasonCode.BadUserNameOrPassword)]
    [InlineData("20 03 00 86 00", MqttVersion.V5, ReasonCode.BadUserNameOrPassword)]
    public void Connection_refusals(string hex, object version, object reason)
        => Assert.Equal((ReasonCode)reason, Decode<ConnAckPacket>(hex, (MqttVersion)version).Reason);

    [Fact]
    public void A_byte_order_mark_in_a_topic_is_kept()
    {
        // MQTT 5 §1.5.4: U+FEFF is never stripped.
        var p = Decode<PublishPacket>("30 06 0004 efbbbf 61", MqttVersion.V311);
        Assert.Equal("\ufeffa", Encoding.UTF8.GetString(p.Topic.Span));
    }

    [Fact]
    public void Reasons_read_as_in_the_specification()
        => Assert.Equal(("0x86 bad user name or password", "mqtt:0x8e"), (ReasonCode.BadUserNameOrPassword.Text(), ReasonCode.SessionTakenOver.Code()));
}
