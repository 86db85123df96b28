using System.Text;
using IotGateway.Connectors.Mqtt.Protocol;

namespace IotGateway.Tests.Mqtt.Protocol;

/// <summary>Random legal packets of every type, from a seed.</summary>
sealed class RandomPackets(int seed)
{
    readonly Random _random = new(seed);

    public Random Random => _random;

    public MqttPacket Next(MqttVersion version)
    {
        var five = version == MqttVersion.V5;
        var type = (PacketType)_random.Next(1, five ? 16 : 15);
        MqttProperties P(PacketType place) => five ? Properties(place) : default;
        var id = (ushort)_random.Next(1, 65_536);
        switch (type)
        {
            case PacketType.Connect:
                var named = _random.Next(2) == 0;
                return new ConnectPacket
                {
                    Version = version, CleanStart = _random.Next(2) == 0, KeepAlive = (ushort)_random.Next(65_536), ClientId = Text(0, 30),
                    Username = named ? Text(0, 20) : null, Password = named && _random.Next(2) == 0 ? Octets(20) : (ReadOnlyMemory<byte>?)null, Properties = P(type),
                    Will = _random.Next(2) == 0 ? new(Text(1, 9), Octets(30), (byte)_random.Next(3), _random.Next(2) == 0) { Properties = P(PropertyRules.Will) } : null,
                };
            case PacketType.ConnAck:
                var refused = _random.Next(2) == 0;
                return new ConnAckPacket(refused ? ReasonCode.NotAuthorized : ReasonCode.Success, !refused && _random.Next(2) == 0) { Properties = P(type) };
            case PacketType.Publish:
                var qos = (byte)_random.Next(3);
                return new PublishPacket
                {
                    Topic = Encoding.UTF8.GetBytes(Text(1, 40)), Payload = Octets(_random.Next(4) == 0 ? 40_000 : 200), Qos = qos, PacketId = qos > 0 ? id : (ushort)0,
                    Retain = _random.Next(2) == 0, Dup = qos > 0 && _random.Next(2) == 0, Properties = P(type),
                };
            case PacketType.PubAck or PacketType.PubRec or PacketType.PubRel or PacketType.PubComp:
                var bad = type is PacketType.PubAck or PacketType.PubRec ? ReasonCode.QuotaExceeded : ReasonCode.PacketIdNotFound;
                return new AckPacket(type, id, five && _random.Next(2) == 0 ? bad : ReasonCode.Success) { Properties = P(type) };
            case PacketType.Subscribe:
                return new SubscribePacket(id, [.. Enumerable.Range(0, _random.Next(1, 6)).Select(_ =>
                    SubscribeFilter.Of(Text(1, 20), _random.Next(3), five && _random.Next(2) == 0, five && _random.Next(2) == 0, five ? _random.Next(3) : 0))]) { Properties = P(type) };
            case PacketType.SubAck:
                return new SubAckPacket(type, id, new byte[] { 0, 1, 2, 0x80 }) { Properties = P(type) };
            case PacketType.Unsubscribe:
                return new UnsubscribePacket(id, [.. Enumerable.Range(0, _random.Next(1, 6)).Select(_ => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(Text(1, 20)))]) { Properties = P(type) };
            case PacketType.UnsubAck:
                return new SubAckPacket(type, id, five ? new byte[] { 0, 0x11, 0x87 } : default(ReadOnlyMemory<byte>)) { Properties = P(type) };
            case PacketType.PingReq: return PingPacket.Request;
            case PacketType.PingResp: return PingPacket.Response;
            case PacketType.Disconnect:
                return new DisconnectPacket(five ? ReasonCode.SessionTakenOver : ReasonCode.Success) { Properties = P(type) };
            default:
                return new AuthPacket(ReasonCode.ContinueAuthentication) { Properties = P(type) };
        }
    }

    MqttProperties Properties(PacketType place)
    {
        var builder = new PropertiesBuilder();
        foreach (var id in Enum.GetValues<PropertyId>())
        {
            if (!PropertyRules.Allowed((uint)id, place) || _random.Next(3) == 0) continue;
            for (var times = PropertyRules.MayRepeat(id, place) ? _random.Next(4) : 1; times > 0; times--)
                switch (PropertyRules.Kind((uint)id))
                {
                    case PropertyKind.Pair: builder.User(Text(0, 9), Text(0, 9)); break;
                    case PropertyKind.Text: builder.Text(id, Text(1, 20)); break;
                    case PropertyKind.Binary: builder.Data(id, Octets(30).Span); break;
                    default: builder.Number(id, 1); break;
                }
        }
        return builder.Build();
    }

    /// <summary>Text of one to four byte characters, without wildcards and NUL.</summary>
    string Text(int min, int max)
    {
        ReadOnlySpan<string> alphabet = ["a", "Z", "/", "0", " ", "ä", "°", "漢", "\ufeff", "😀", "$"];
        var text = new StringBuilder();
        for (var n = _random.Next(min, max + 1); n > 0; n--) text.Append(alphabet[_random.Next(alphabet.Length)]);
        return text.ToString();
    }

    ReadOnlyMemory<byte> Octets(int max)
    {
        var bytes = new byte[_random.Next(max + 1)];
        _random.NextBytes(bytes);
        return bytes;
    }
}
