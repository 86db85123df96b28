using IotGateway.Connectors.Mqtt.Protocol;
using static IotGateway.Tests.Mqtt.Protocol.Codec;

namespace IotGateway.Tests.Mqtt.Protocol;

/// <summary>What the specifications forbid, and with which reason it is refused.</summary>
public sealed class RefusalTests
{
    [Theory]
    [InlineData("00 00", "type 0", ReasonCode.MalformedPacket)]
    [InlineData("36 05 0001 61 0001", "QoS 3", ReasonCode.MalformedPacket)]
    [InlineData("38 03 0001 61", "DUP at QoS 0", ReasonCode.MalformedPacket)]
    [InlineData("41 02 0001", "flags of PUBACK", ReasonCode.MalformedPacket)]
    [InlineData("60 02 0001", "flags of PUBREL", ReasonCode.MalformedPacket)]
    [InlineData("f0 00", "AUTH before version 5", ReasonCode.MalformedPacket)]
    [InlineData("30 03 0002 61", "topic beyond the packet", ReasonCode.MalformedPacket)]
    [InlineData("30 04 0002 c080", "overlong UTF-8", ReasonCode.MalformedPacket)]
    [InlineData("30 05 0003 eda080", "surrogate", ReasonCode.MalformedPacket)]
    [InlineData("30 03 0001 00", "U+0000", ReasonCode.MalformedPacket)]
    [InlineData("30 02 0000", "empty topic", ReasonCode.ProtocolError)]
    [InlineData("30 05 0003 612f2b", "wildcard in a topic", ReasonCode.TopicNameInvalid)]
    [InlineData("32 05 0001 61 0000", "packet identifier 0", ReasonCode.ProtocolError)]
    [InlineData("40 03 0001 00", "trailing byte", ReasonCode.MalformedPacket)]
    [InlineData("d0 01 00", "PINGRESP with a body", ReasonCode.MalformedPacket)]
    [InlineData("e0 01 00", "DISCONNECT with a body", ReasonCode.MalformedPacket)]
    [InlineData("20 02 02 00", "reserved CONNACK flag", ReasonCode.MalformedPacket)]
    [InlineData("20 02 00 06", "unknown return code", ReasonCode.ProtocolError)]
    [InlineData("20 02 01 05", "session present in a refusal", ReasonCode.ProtocolError)]
    [InlineData("90 03 0001 03", "granted QoS 3", ReasonCode.ProtocolError)]
    [InlineData("90 02 0001", "SUBACK without reasons", ReasonCode.MalformedPacket)]
    [InlineData("82 02 0001", "SUBSCRIBE without filters", ReasonCode.ProtocolError)]
    public void Three_one_one(string hex, string what, object reason) => Assert.Equal((what, (ReasonCode)reason), (what, Refused(hex, MqttVersion.V311)));

    [Theory]
    [InlineData("30 04 0000 00 61", "empty topic without alias", ReasonCode.ProtocolError)]
    [InlineData("30 06 0001 61 01 01 00", "property cut short", ReasonCode.MalformedPacket)]
    [InlineData("30 06 0001 61 02 0102", "payload format 2", ReasonCode.ProtocolError)]
    [InlineData("30 08 0001 61 04 01000100", "property twice", ReasonCode.ProtocolError)]
    [InlineData("30 07 0001 61 03 210001", "receive maximum in PUBLISH", ReasonCode.MalformedPacket)]
    [InlineData("30 05 0001 61 01 7f", "unknown property", ReasonCode.MalformedPacket)]
    [InlineData("30 07 0001 61 03 0b8000", "subscription identifier not in shortest form", ReasonCode.MalformedPacket)]
    [InlineData("30 06 0001 61 02 0b00", "subscription identifier 0", ReasonCode.ProtocolError)]
    [InlineData("30 04 0001 61 05", "properties beyond the packet", ReasonCode.MalformedPacket)]
    [InlineData("30 09 0001 61 05 0800 02 612b", "wildcard in the response topic", ReasonCode.ProtocolError)]
    [InlineData("30 08 0001 61 04 0800 01 2b", "wildcard as the response topic", ReasonCode.ProtocolError)]
    [InlineData("40 03 0001 05", "unknown PUBACK reason", ReasonCode.ProtocolError)]
    [InlineData("62 03 0001 80", "PUBREL with a failure", ReasonCode.ProtocolError)]
    [InlineData("20 03 00 01 00", "CONNACK reason 1", ReasonCode.ProtocolError)]
    [InlineData("20 06 00 00 03 210000", "receive maximum 0", ReasonCode.ProtocolError)]
    [InlineData("e0 01 05", "unknown DISCONNECT reason", ReasonCode.ProtocolError)]
    [InlineData("82 07 0001 00 0001 61 30", "retain handling 3", ReasonCode.MalformedPacket)]
    public void Five(string hex, string what, object reason)
    {
        var bytes = Bytes(hex);
        bytes[1] = (byte)(bytes.Length - 2);
        Assert.Equal((what, (ReasonCode)reason), (what, Refused(Hex(bytes), MqttVersion.V5)));
    }

    [Fact]
    public void A_length_over_the_limit_is_refused_before_the_rest_arrives()
    {
        var limits = new MqttLimits(1024);
        Assert.Equal(ReasonCode.PacketTooLarge, Assert.Throws<MqttProtocolException>(
            () => PacketHeader.TryRead(Bytes("30 ffffff"), MqttVersion.V5, limits, out _)).Reason);
        Assert.Equal(ReasonCode.PacketTooLarge, Assert.Throws<MqttProtocolException>(
            () => PacketHeader.TryRead(Bytes("30 fe07"), MqttVersion.V5, limits, out _)).Reason); // 1022 + 3 of header
        Assert.True(PacketHeader.TryRead(Bytes("30 fd07"), MqttVersion.V5, limits, out var h));
        Assert.Equal(1024, h.Total);
    }

    [Fact]
    public void A_length_of_five_bytes_is_malformed()
        => Assert.Equal(ReasonCode.MalformedPacket, Assert.Throws<MqttProtocolException>(
            () => PacketHeader.TryRead(Bytes("30 8080808001"), MqttVersion.V311, MqttLimits.Protocol, out _)).Reason);

    [Fact]
    public void Endless_properties_stop_at_the_cap()
    {
        var builder = new PropertiesBuilder();
        for (var i = 0; i < 257; i++) builder.User("", "");
        var packet = new PublishPacket { Topic = "a"u8.ToArray(), Properties = builder.Build() };
        Assert.Equal(ReasonCode.QuotaExceeded, Refused(Hex(Encode(packet, MqttVersion.V5)), MqttVersion.V5, new(65_536)));
    }

    [Theory]
    [InlineData("a/b", "a/b", true)]
    [InlineData("a/b", "a/+", true)]
    [InlineData("a/b", "#", true)]
    [InlineData("a", "a/#", true)]
    [InlineData("a/b/c", "a/#", true)]
    [InlineData("a/b/c", "a/+", false)]
    [InlineData("/a", "+/+", true)]
    [InlineData("/a", "+", false)]
    [InlineData("a", "a/b", false)]
    [InlineData("a/b", "a", false)]
    [InlineData("$SYS/x", "#", false)]
    [InlineData("$SYS/x", "+/x", false)]
    [InlineData("$SYS/x", "$SYS/#", true)]
    public void Names_match_filters(string name, string filter, bool matches) => Assert.Equal(matches, TopicName.Matches(name, filter));

    [Theory]
    [InlineData("a/#/b")]
    [InlineData("a#")]
    [InlineData("a+/b")]
    [InlineData("")]
    [InlineData("$share/g")]
    [InlineData("$share/+/a")]
    [InlineData("$share/g/")]
    public void Bad_filters_are_told(string filter) => Assert.NotNull(TopicName.FilterError(filter));

    [Theory]
    [InlineData("#")]
    [InlineData("+/b//+/#")]
    [InlineData("/")]
    [InlineData("$share/g/a/+")]
    public void Good_filters_pass(string filter) => Assert.Null(TopicName.FilterError(filter));
}
