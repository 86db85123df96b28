using System.Text;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Mqtt.Mapping;

/// <summary>
/// Messages to records or readings. What follows from the topic is remembered for a bounded number of topics, so that a fleet with
/// a hundred thousand topics costs no more memory than one with a few thousand. One thread.
/// </summary>
sealed class MessageMapper
{
    const int MostRemembered = 4_096;

    readonly Dictionary<byte[], MappedTopic> _known = new(Utf8Names.Instance);
    readonly Dictionary<byte[], MappedTopic>.AlternateLookup<ReadOnlySpan<byte>> _lookup;
    readonly MappingRule[] _rules;
    readonly MappingRule _fallback;

    public MessageMapper(MqttConfig config, ConnectorContext context, string clientId)
    {
        _lookup = _known.GetAlternateLookup<ReadOnlySpan<byte>>();
        _rules = [.. config.Subscriptions.Select(s => new MappingRule(config, s, context, clientId))];
        _fallback = new(config, null, context, clientId);
    }

    /// <summary>Adds what the message becomes.</summary>
    public void Map(PublishPacket packet, DateTime received, List<Record> records, List<Reading> readings)
    {
        var topic = Find(packet);
        if (topic.Tag is { } tag && topic.Poison is null)
        {
            if (PlainValue.TryRead(packet.Payload, tag.Type, out var value)) readings.Add(new(tag, value, DateTime.MinValue, received));
            else records.Add(Raw(packet, topic, $"The payload is no {tag.Type} as '{tag}' needs."));
            return;
        }
        records.Add(Raw(packet, topic, topic.Poison));
    }

    static Record Raw(PublishPacket packet, MappedTopic topic, string? poison) => new()
    {
        Topic = topic.KafkaTopic,
        Key = topic.Key,
        Value = packet.Payload,
        Headers = MessageHeaders.Of(packet, topic),
        Poison = poison,
    };

    MappedTopic Find(PublishPacket packet)
    {
        var name = packet.Topic.Span;
        if (_lookup.TryGetValue(name, out var known)) return known;
        if (_known.Count >= MostRemembered) _known.Clear();
        var found = First(name).Map(name);
        _lookup[name] = found;
        return found;
    }

    /// <summary>Of overlapping subscriptions the first in the configuration decides: a broker may send one copy for all of them (MQTT 5 §3.3.4).</summary>
    MappingRule First(ReadOnlySpan<byte> name)
    {
        var topic = Encoding.UTF8.GetString(name);
        foreach (var rule in _rules)
            if (TopicName.Matches(topic, rule.Filter)) return rule;
        return _fallback; // what a subscription removed from the configuration still had on its way
    }

    sealed class Utf8Names : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static Utf8Names Instance { get; } = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);
        public int GetHashCode(byte[] obj) => GetHashCode(obj.AsSpan());
        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);
        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = new HashCode();
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }
    }
}
