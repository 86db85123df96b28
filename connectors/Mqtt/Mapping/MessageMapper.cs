using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Mqtt.Mapping;

/// <summary>
/// Messages to records or readings. Of overlapping subscriptions the broker may send one copy each or one for all (MQTT 5 §3.3.4); the
/// subscription identifiers say which, and each gets its own mapping. Without identifiers the first that matches decides. One thread.
/// </summary>
sealed class MessageMapper
{
    readonly MappedTopics[] _rules;
    readonly MappedTopics _fallback;

    public MessageMapper(MqttConfig config, ConnectorContext context, string clientId)
    {
        _rules = [.. config.Subscriptions.Select(s => new MappedTopics(new(config, s, context, clientId)))];
        _fallback = new(new(config, null, context, clientId));
    }

    /// <summary>Adds what the message becomes.</summary>
    public void Map(PublishPacket packet, DateTime received, List<Record> records, List<Reading> readings)
    {
        var identified = false;
        if (!packet.Properties.IsEmpty)
            foreach (var property in packet.Properties)
            {
                // A session may still hold identifiers of an older configuration: believe only what also matches.
                if (property.Id != PropertyId.SubscriptionId || property.Number > (uint)_rules.Length || !_rules[property.Number - 1].TryFind(packet.Topic.Span, out var topic)) continue;
                Add(packet, _rules[property.Number - 1].Rule, topic, received, records, readings);
                identified = true;
            }
        if (identified) return;
        var (first, mapped) = First(packet.Topic.Span);
        Add(packet, first, mapped, received, records, readings);
    }

    (MappingRule Rule, MappedTopic Topic) First(ReadOnlySpan<byte> name)
    {
        foreach (var rule in _rules)
            if (rule.TryFind(name, out var topic)) return (rule.Rule, topic);
        // What a subscription removed from the configuration still had on its way.
        return (_fallback.Rule, _fallback.TryFind(name, out var any) ? any : _fallback.Map(name));
    }

    static void Add(PublishPacket packet, MappingRule rule, MappedTopic topic, DateTime received, List<Record> records, List<Reading> readings)
    {
        if (!rule.IsFixed) rule.Add(packet, topic, received, records, readings);
        else if (topic.Tag is not { } tag || topic.Poison is not null) records.Add(Raw(packet, topic, topic.Poison, MessageHeaders.Of(packet, topic)));
        else if (PlainValue.TryRead(packet.Payload, tag.Type, out var value)) readings.Add(new(tag, value, DateTime.MinValue, received));
        else records.Add(Raw(packet, topic, NoValue(tag), MessageHeaders.Of(packet, topic)));
    }

    /// <summary>Why a plain payload is no reading.</summary>
    internal static string NoValue(Tag tag) => $"The payload is no {tag.Type} as '{tag}' needs.";

    /// <summary>The payload unchanged.</summary>
    internal static Record Raw(PublishPacket packet, MappedTopic topic, string? poison, IReadOnlyList<Header> headers) => new()
    {
        Topic = topic.KafkaTopic,
        Key = topic.Key,
        Value = packet.Payload,
        Headers = headers,
        Poison = poison,
    };
}
