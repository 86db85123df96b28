using IotGateway.Connectors.Mqtt.Protocol;

namespace IotGateway.Tests.Mqtt.Protocol;

/// <summary>Shorthands of the codec tests.</summary>
static class Codec
{
    public static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));

    public static byte[] Encode(MqttPacket packet, MqttVersion version)
    {
        var w = new WireWriter();
        MqttEncoder.Encode(w, packet, version);
        return w.Written.ToArray();
    }

    public static MqttPacket Decode(byte[] bytes, MqttVersion version, MqttLimits? limits = null)
    {
        var l = limits ?? MqttLimits.Protocol;
        Assert.True(PacketHeader.TryRead(bytes, version, l, out var header));
        Assert.Equal(bytes.Length, header.Total);
        return MqttDecoder.Decode(header, bytes.AsMemory(header.Size), version, l);
    }

    public static T Decode<T>(string hex, MqttVersion version) where T : MqttPacket => Assert.IsType<T>(Decode(Bytes(hex), version));

    public static ReasonCode Refused(string hex, MqttVersion version, MqttLimits? limits = null)
        => Assert.Throws<MqttProtocolException>(() => Decode(Bytes(hex), version, limits)).Reason;

    public static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
}
