using System.Text;
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
    readonly MappingRule[] _rules; // those of the configuration, then those given up, of which something may still be on its way
    readonly int _current;
    readonly FilterIndex _index;
    readonly MappingRule _fallback;
    readonly Dictionary<uint, MappedRule> _numbered = [];
    readonly TopicCache<(MappingRule Rule, MappedTopic Topic)> _first;

    /// <param name="config">The subscriptions.</param>
    /// <param name="context">Makes tags.</param>
    /// <param name="clientId">For templates.</param>
    /// <param name="before">What this one replaces on a running connection: its identifiers stay, and its rules serve what is still on the way.</param>
    public MessageMapper(MqttConfig config, ConnectorContext context, string clientId, MessageMapper? before = null)
    {
        Numbers = Number(config, before);
        MappingRule[] current = [.. config.Subscriptions.Select(s => new MappingRule(config, s, context, clientId))];
        var filters = current.Select(r => r.Filter).ToHashSet(StringComparer.Ordinal);
        _current = current.Length;
        _rules = before is null ? current : [.. current, .. before._rules.Take(before._current).Where(r => !filters.Contains(r.Filter))];
        _index = new([.. _rules.Select(r => r.Filter)]);
        _fallback = new(config, null, context, clientId);
        var memory = new TopicMemory();
        _first = new(memory);
        for (var i = 0; i < current.Length; i++) _numbered[Numbers[config.Subscriptions[i].Filter]] = new(current[i], memory);
    }

    /// <summary>The subscription identifier of each filter (MQTT 5 §3.8.2.1.2).</summary>
    public IReadOnlyDictionary<string, uint> Numbers { get; }

    // A filter keeps its number as long as the connection lives: messages on their way bear it.
    static Dictionary<string, uint> Number(MqttConfig config, MessageMapper? before)
    {
        var numbers = new Dictionary<string, uint>(StringComparer.Ordinal);
        var last = before?.Numbers.Values.DefaultIfEmpty().Max() ?? 0;
        foreach (var s in config.Subscriptions) numbers[s.Filter] = before is not null && before.Numbers.TryGetValue(s.Filter, out var number) ? number : ++last;
        return numbers;
    }

    /// <summary>Adds what the message becomes.</summary>
    public void Map(PublishPacket packet, DateTime received, List<Record> records, List<Reading> readings)
    {
        var identified = false;
        if (!packet.Properties.IsEmpty)
            foreach (var property in packet.Properties)
            {
                // A session may still hold identifiers of an older configuration: believe only what also matches.
                if (property.Id != PropertyId.SubscriptionId || !_numbered.TryGetValue(property.Number, out var rule) || !rule.TryFind(packet.Topic.Span, out var topic)) continue;
                Add(packet, rule.Rule, topic, received, records, readings);
                identified = true;
            }
        if (identified) return;
        var (first, mapped) = First(packet.Topic.Span);
        Add(packet, first, mapped, received, records, readings);
    }

    (MappingRule Rule, MappedTopic Topic) First(ReadOnlySpan<byte> name)
    {
        if (_first.TryGet(name, out var known)) return known;
        // None matches what a subscription given up longer ago still had on its way.
        var rule = _index.First(Encoding.UTF8.GetString(name)) is >= 0 and var i ? _rules[i] : _fallback;
        return _first.Add(name, (rule, rule.Map(name)));
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
