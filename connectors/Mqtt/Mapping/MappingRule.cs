using System.Text;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Mqtt.Mapping;

/// <summary>The mapping of one subscription: templates, types, paths. Immutable.</summary>
sealed class MappingRule
{
    const int MostReadings = 10_000; // of one message: a payload of 16 MiB must not become gigabytes of records

    readonly ConnectorContext _context;
    readonly TopicTemplate _topic, _key, _device, _tag;
    readonly (string Name, TopicTemplate Text)[] _headers;
    readonly JsonReading[] _readings;
    readonly JsonTime? _time;
    readonly bool _hasKey, _raw, _needsJson;
    readonly DataType _type;
    readonly string? _unit;

    public MappingRule(MqttConfig config, MqttSubscription? own, ConnectorContext context, string clientId)
    {
        var names = Placeholders.Of(clientId, context.Gateway, context.Name);
        TopicTemplate Read(string text, IReadOnlyList<string>? sources = null) => TopicTemplate.TryParse(text, names, out var error, sources) ?? throw new PermanentException(error!);
        _context = context;
        Filter = own is null ? "#" : TopicName.WithoutShare(own.Filter);
        _raw = (own?.Format ?? config.Format) == MqttFormat.Raw;
        // The topic of readings is the runtime's to expand, with ${device} and ${tag}; here it only names their dead letters' origin.
        _topic = Read(_raw ? own?.Topic ?? config.Topic ?? context.Name : context.Name);
        var key = own?.Key ?? config.Key;
        _key = Read(key);
        _hasKey = key.Length > 0;
        _device = Read(own?.Device ?? config.Device ?? context.Name);
        _tag = Read(own?.Tag ?? config.Tag);
        _type = own?.Type ?? config.Type;
        _unit = own?.Unit;
        _headers = [.. own?.Headers.Select(h => (h.Key, Read(h.Value))) ?? []];
        _readings = _raw ? [] : [.. own?.Readings.Select(r => new JsonReading(r, _type, _device, text => Read(text, Placeholders.OfReadings))) ?? []];
        _time = own?.Timestamp is { } timestamp && _readings.Length > 0 ? new(timestamp) : null;
        TopicTemplate[] used = _raw ? [_topic, _key, .. _headers.Select(h => h.Text)] : _readings.Length > 0 ? [_key, _device] : [_key, _device, _tag];
        IsFixed = _readings.Length == 0 && _headers.Length == 0 && !Array.Exists(used, t => t.IsVarying);
        _needsJson = _readings.Length > 0 || Array.Exists(used, t => t.NeedsJson);
    }

    /// <summary>The filter names are matched against.</summary>
    public string Filter { get; }

    /// <summary>Whether a message's topic alone decides what it becomes.</summary>
    public bool IsFixed { get; }

    /// <summary>Applies the rule to a topic: all there is to know of a fixed rule.</summary>
    public MappedTopic Map(ReadOnlySpan<byte> name)
    {
        var copy = name.ToArray();
        return IsFixed ? Map(copy, null) : new() { Name = copy, KafkaTopic = "" };
    }

    /// <summary>Adds what a message becomes under a rule that is not fixed.</summary>
    public void Add(PublishPacket packet, MappedTopic topic, DateTime received, List<Record> records, List<Reading> readings)
    {
        string? wrong = null;
        using var json = _needsJson ? JsonValues.Parse(packet.Payload, out wrong) : null;
        var view = new MessageView(packet, json?.RootElement);
        var mapped = Map(topic.Name, view);
        var poison = mapped.Poison is { } missing ? wrong ?? missing : null;
        if (poison is null && _readings.Length > 0)
        {
            var before = readings.Count;
            poison = wrong ?? Read(Encoding.UTF8.GetString(topic.Name.Span), view, json!.RootElement, received, readings);
            if (poison is null) return;
            readings.RemoveRange(before, readings.Count - before); // all of a message or nothing: it can be repaired and sent again
        }
        if (poison is null && mapped.Tag is { } tag)
        {
            if (PlainValue.TryRead(packet.Payload, tag.Type, out var value))
            {
                readings.Add(new(tag, value, DateTime.MinValue, received));
                return;
            }
            poison = MessageMapper.NoValue(tag);
        }
        var headers = MessageHeaders.Of(packet, topic);
        records.Add(MessageMapper.Raw(packet, mapped, poison, _headers.Length == 0 ? headers : [.. headers, .. Own(Encoding.UTF8.GetString(topic.Name.Span), view)]));
    }

    IEnumerable<Header> Own(string topic, MessageView view)
    {
        foreach (var (name, template) in _headers)
        {
            var text = template.Expand(topic, out var missing, view);
            if (missing is null) yield return new(name, Encoding.UTF8.GetBytes(text));
        }
    }

    MappedTopic Map(ReadOnlyMemory<byte> name, MessageView? view)
    {
        var topic = Encoding.UTF8.GetString(name.Span);
        var target = _topic.Expand(topic, out var missing, view);
        var key = _key.Expand(topic, out _, view);
        var poison = missing is null ? null : $"The topic or message of '{topic}' has nothing at ${{{missing}}}, which the Kafka topic is made of.";
        var tag = _raw || poison is not null || _readings.Length > 0 ? null : FindTag(topic, _device, _tag, _type, _unit, view, ref poison);
        return new() { Name = name, KafkaTopic = target, Key = !_hasKey ? null : key == topic ? name : Encoding.UTF8.GetBytes(key), Tag = tag, Poison = poison };
    }

    /// <summary>Adds the readings of a payload. Returns why it cannot be used.</summary>
    string? Read(string topic, MessageView view, System.Text.Json.JsonElement root, DateTime received, List<Reading> readings)
    {
        var found = 0;
        foreach (var rule in _readings)
            foreach (var match in rule.Path.Find(root))
            {
                if (++found > MostReadings) return $"The payload holds more than {MostReadings} readings.";
                view.Match = match;
                string? poison = null;
                if (FindTag(topic, rule.Device, rule.Tag, rule.Type, rule.Unit, view, ref poison) is not { } tag) return poison;
                var time = DateTime.MinValue;
                if (_time?.TryRead(root, match.Element, out time) == false) return $"The payload has no time at {_time}.";
                if (match.Value.ValueKind == System.Text.Json.JsonValueKind.Null) readings.Add(Reading.Bad(tag, "mqtt:null", received) with { SourceTime = time });
                else if (JsonValues.TryRead(match.Value, rule.Type, out var value)) readings.Add(new(tag, value, time, received));
                else return $"What stands at {rule.Path} is no {rule.Type} as '{tag}' needs.";
            }
        return found > 0 ? null : $"The payload has nothing at {string.Join(", ", _readings.Take(5).Select(r => r.Path))}.";
    }

    Tag? FindTag(string topic, TopicTemplate deviceOf, TopicTemplate tagOf, DataType type, string? unit, MessageView? view, ref string? poison)
    {
        var device = deviceOf.Expand(topic, out var noDevice, view);
        var tag = tagOf.Expand(topic, out var noTag, view);
        if ((noDevice ?? noTag) is { } missing) poison = $"The topic or message of '{topic}' has nothing at ${{{missing}}}, which the device or tag is made of.";
        else if (device.Length == 0 || tag.Length == 0) poison = $"The topic '{topic}' gives an empty device or tag name.";
        else if (device.Contains('/', StringComparison.Ordinal)) poison = $"The topic '{topic}' gives the device name '{device}', which must not hold '/'.";
        else
            try
            {
                if (_context.Tag(device, tag, type, unit) is { } found) return found;
                poison = "There are more tags than limits.tags allows.";
            }
            catch (PermanentException e)
            {
                poison = e.Message; // what a message names must not stop the connector
            }
        return null;
    }
}
